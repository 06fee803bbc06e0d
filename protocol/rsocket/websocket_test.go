package rsocket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// browser is a WebSocket client that is not ours, as far as that goes: package
// websocket as it is.
type browser struct {
	t testing.TB
	*websocket.Conn
}

func browse(t testing.TB, addr string, protocols ...string) *browser {
	t.Helper()
	d := websocket.Dialer{Subprotocols: protocols}
	ws, _, err := d.DialContext(t.Context(), addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return &browser{t, ws}
}

func (b *browser) send(messages ...[]byte) {
	b.t.Helper()
	for _, m := range messages {
		if err := b.WriteMessage(websocket.BinaryMessage, m); err != nil {
			b.t.Fatal(err)
		}
	}
}

// want reads messages as peer.want does; "close 1000" is a close message.
func (b *browser) want(messages ...string) {
	b.t.Helper()
	for _, want := range messages {
		_ = b.SetReadDeadline(time.Now().Add(10 * time.Second))
		kind, m, err := b.ReadMessage()
		got := words(m)
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			got = fmt.Sprintf("close %d", e.Code)
		} else if err != nil {
			got = err.Error()
		} else if kind != websocket.BinaryMessage {
			got = "TEXT " + got
		}
		if prefix, ok := bytes.CutSuffix([]byte(want), []byte("…")); ok && bytes.HasPrefix([]byte(got), prefix) {
			continue
		}
		if got != want {
			b.t.Fatalf("message\n got %s\nwant %s", got, want)
		}
	}
}

func startWebSocket(t testing.TB, h Handler, cfg Config) (*Server, string) {
	t.Helper()
	l, addr := listen(t, "ws")
	return serveAt(t, l, answering(h), cfg), addr
}

func TestBrowserTalksFrameByMessage(t *testing.T) {
	s, addr := startWebSocket(t, echo(), Config{Window: 4})
	b := browse(t, addr)
	large := bytes.Repeat([]byte("x"), 200_000)
	b.send(setupFrame(), frame.AppendRequest(nil, 1, frame.TypeRequestResponse, 0, nil, []byte("hello")))
	b.want("PAYLOAD 1 NC hello")
	b.send(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, large))
	b.want("PAYLOAD 3 NC " + string(large))
	b.send(frame.AppendRequestMany(nil, 5, frame.TypeRequestChannel, 0, 9, nil, []byte("a")), frame.AppendPayload(nil, 5, frame.FlagNext|frame.FlagComplete, nil, []byte("b")))
	b.want("REQUEST_N 5 n=4", "PAYLOAD 5 N a", "PAYLOAD 5 N b", "PAYLOAD 5 C")
	go s.Shutdown(context.Background())
	b.want("ERROR 0 CONNECTION_CLOSE closing gracefully", "close 1000")
}

func TestSubprotocolIsAgreedOnIfAskedFor(t *testing.T) {
	_, addr := startWebSocket(t, echo(), Config{})
	for _, tt := range []struct {
		asked []string
		want  string
	}{{nil, ""}, {[]string{"rsocket"}, "rsocket"}, {[]string{"mqtt", "rsocket"}, "rsocket"}, {[]string{"mqtt"}, ""}} {
		b := browse(t, addr, tt.asked...)
		if got := b.Subprotocol(); got != tt.want {
			t.Errorf("asked for %q, got %q", tt.asked, got)
		}
		b.send(setupFrame(), frame.AppendRequest(nil, 1, frame.TypeRequestResponse, 0, nil, []byte("on")))
		b.want("PAYLOAD 1 NC on")
	}
}

func TestCloseMessages(t *testing.T) {
	s, addr := startWebSocket(t, echo(), Config{})
	gone := func() { await.Until(t, "the connection has ended", func() bool { return len(s.Conns()) == 0 }) }

	b := browse(t, addr)
	b.send(setupFrame())
	_ = b.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, "leaving"))
	b.want("close 1001") // the echo
	gone()

	b = browse(t, addr)
	b.send(frame.AppendCancel(nil, 1))
	b.want("ERROR 0 INVALID_SETUP…", "close 1000")
	gone()

	b = browse(t, addr)
	b.send(setupFrame())
	b.Close() // without a word
	gone()

	b = browse(t, addr)
	b.send(setupFrame())
	await.Until(t, "it is served", func() bool { return len(s.Conns()) == 1 })
	s.Conns()[0].Fail(0x301, "enough")
	b.want("ERROR 0 0x301 enough", "close 1000")
	gone()
}

// The client under test, and what a server that is not ours does to it.
func TestClientEndsWithItsWebSocket(t *testing.T) {
	for name, tt := range map[string]struct {
		say  func(b *browser)
		want error
	}{
		"close":         {func(b *browser) { b.sayClose(1000) }, ErrClosed},
		"going away":    {func(b *browser) { b.sayClose(1001) }, ErrClosed},
		"internal":      {func(b *browser) { b.sayClose(1011) }, ErrClosed},
		"without close": {func(b *browser) { b.Close() }, ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			l, addr := listen(t, "ws")
			defer l.Close()
			accepted := make(chan *browser, 1)
			go func() {
				nc, err := l.Accept()
				if err == nil {
					accepted <- &browser{t, nc.(*webSocket).ws}
				}
			}()
			c := dial(t, addr, Handler{}, Config{})
			b := await.Value(t, "the connection", accepted)
			defer b.Close()
			b.want("SETUP 0…")
			b.NetConn().(*wire).control = nil // the test plays what is ours otherwise
			tt.say(b)
			await.Value(t, "the end", c.Done())
			if err := c.Err(); !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func (b *browser) sayClose(code int) {
	_ = b.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "a reason"), time.Now().Add(time.Second))
}

// webSockets returns both ends of a WebSocket.
func webSockets(t testing.TB) (client, server *webSocket) {
	t.Helper()
	l, addr := listen(t, "ws")
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if nc, err := l.Accept(); err == nil {
			accepted <- nc
		}
	}()
	nc, err := Connect(t.Context(), addr, Config{})
	if err != nil {
		t.Fatal(err)
	}
	client, server = nc.(*webSocket), await.Value(t, "the connection", accepted).(*webSocket)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// streamOf puts frames behind their lengths.
func streamOf(frames ...[]byte) []byte {
	var b []byte
	for _, f := range frames {
		b = append(b, prefixed(f)...)
	}
	return b
}

func TestWebSocketIsAByteStreamOfFrames(t *testing.T) {
	var frames [][]byte
	for _, n := range []int{0, 1, 2, 3, 60, 61, 62, 64, 125, 126, 127, 4093, 4096, 16 << 10, 65_535, 65_536, 65_537, 300_000} {
		f := make([]byte, n)
		for i := range f {
			f[i] = byte(i + i>>8 + n)
		}
		frames = append(frames, f)
	}
	sent := streamOf(frames...)
	client, server := webSockets(t)
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		for _, step := range []int{1, 2, 3, 4, 5, 64, 4096, 1 << 20} {
			written := make(chan error, 1)
			go func() { _, err := ends[0].Write(sent); written <- err }()
			got := make([]byte, 0, len(sent)+step)
			for len(got) < len(sent) {
				n, err := ends[1].Read(got[len(got) : len(got)+step])
				if err != nil || n == 0 {
					t.Fatalf("step %d, byte %d: read %d, %v", step, len(got), n, err)
				}
				got = got[:len(got)+n]
			}
			if err := await.Value(t, "the write", written); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("in steps of %d it is another stream, %v", step, err)
			}
		}
	}
}

func TestPartOfAFrameIsNotWritten(t *testing.T) {
	client, server := webSockets(t)
	for _, b := range [][]byte{{0}, {0, 0, 2, 'x'}, streamOf([]byte("whole"), []byte("cut"))[:12]} {
		if n, err := client.Write(b); n != 0 || !errors.Is(err, errPartOfFrame) {
			t.Errorf("wrote %d of %q, %v", n, b, err)
		}
	}
	go client.Write(streamOf([]byte("next")))
	got := make([]byte, 100)
	if n, err := server.Read(got); err != nil || string(got[:n]) != "\x00\x00\x04next" {
		t.Errorf("read %q, %v", got[:n], err)
	}
}

// recorder keeps what is written to it, write by write.
type recorder struct {
	net.Conn
	writes [][]byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.writes = append(r.writes, bytes.Clone(b))
	return len(b), nil
}

func TestFramesOfOneWriteLeaveTogetherEachUnfragmented(t *testing.T) {
	for _, client := range []bool{false, true} {
		r := &recorder{}
		w := webSocketWriter{nc: r, client: client}
		small := streamOf([]byte("one"), nil, bytes.Repeat([]byte("2"), 126), []byte("three"))
		if _, err := w.write(small); err != nil {
			t.Fatal(err)
		}
		if len(r.writes) != 1 {
			t.Errorf("client %v: %d writes for four small frames", client, len(r.writes))
		}
		if got := unframe(t, r.writes, client); !bytes.Equal(got, small) {
			t.Errorf("client %v: got %q", client, got)
		}
		r.writes = nil
		large := streamOf([]byte("before"), bytes.Repeat([]byte("0123456789a"), 100_000), []byte("after"))
		if _, err := w.write(bytes.Clone(large)); err != nil {
			t.Fatal(err)
		}
		if got := unframe(t, r.writes, client); !bytes.Equal(got, large) {
			t.Errorf("client %v: a large frame is not what it was", client)
		}
	}
}

// unframe takes RFC 6455 frames apart, which must be whole binary messages, and
// gives them a length prefix.
func unframe(t *testing.T, writes [][]byte, masked bool) []byte {
	t.Helper()
	b := bytes.Join(writes, nil)
	var out []byte
	for len(b) > 0 {
		if b[0] != 0x80|websocket.BinaryMessage || b[1]&0x80 != 0 != masked {
			t.Fatalf("a frame begins with %x", b[:2])
		}
		n := int(b[1] & 0x7F)
		switch b = b[2:]; n {
		case 126:
			n, b = int(binary.BigEndian.Uint16(b)), b[2:]
		case 127:
			n, b = int(binary.BigEndian.Uint64(b)), b[8:]
		}
		var key [4]byte
		if masked {
			b = b[copy(key[:], b):]
		}
		payload := bytes.Clone(b[:n])
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		out, b = append(out, streamOf(payload)...), b[n:]
	}
	return out
}

func TestWebSocketDeadlines(t *testing.T) {
	client, server := webSockets(t)
	buf := make([]byte, 100)
	read := func(nc net.Conn, want string) {
		t.Helper()
		n, err := nc.Read(buf)
		if err != nil || string(buf[:n]) != string(streamOf([]byte(want))) {
			t.Errorf("read %q, %v", buf[:n], err)
		}
	}
	// Moved before it passes, a deadline does no harm.
	_ = server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_ = server.SetReadDeadline(time.Time{})
	_ = client.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	time.AfterFunc(100*time.Millisecond, func() {
		_ = client.SetWriteDeadline(time.Time{})
		_, _ = client.Write(streamOf([]byte("late")))
	})
	read(server, "late")
	// Set from elsewhere, it wakes who reads.
	time.AfterFunc(10*time.Millisecond, func() { _ = server.SetReadDeadline(time.Unix(1, 0)) })
	if _, err := server.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// Then nothing can be read, but for what is for nobody, so that the other
	// direction still arrives; see linger.
	_ = server.SetReadDeadline(time.Time{})
	if _, err := server.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_, _ = server.Write(streamOf([]byte("last words")))
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	read(client, "last words")
	if _, err := client.Read(buf); err != io.EOF {
		t.Errorf("the client's end: %v", err)
	}
	_, _ = client.Write(streamOf([]byte("unread")))
	client.Close()
	if n, err := io.Copy(io.Discard, server); n == 0 || err != nil {
		t.Errorf("drained %d, %v", n, err)
	}
	if _, err := server.Write(streamOf(nil)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a write after CloseWrite: %v", err)
	}
}
