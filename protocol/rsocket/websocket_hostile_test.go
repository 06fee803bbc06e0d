package rsocket

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket/frame"
)

// raw writes bytes past package websocket. Their mask is zero.
func (b *browser) raw(frames ...string) {
	b.t.Helper()
	if _, err := b.NetConn().Write([]byte(strings.Join(frames, ""))); err != nil {
		b.t.Fatal(err)
	}
}

// masked is a short frame under the zero mask.
func masked(first byte, payload string) string {
	return string([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}

const (
	textFrame, binaryFrame, pingFrame, continued = 0x81, 0x82, 0x89, 0x00
	binaryPart, lastPart                         = 0x02, 0x80
)

func TestHostileWebSocketPeersAreCutOff(t *testing.T) {
	s, addr := startWebSocket(t, echo(), Config{MaxFrame: 1000})
	check := neighbour(t, addr)
	setup := string(setupFrame())
	for _, tt := range []struct {
		name string
		in   []string
		want []string
	}{
		{"a text message", []string{masked(binaryFrame, setup), masked(textFrame, "hello")}, []string{"close 1003"}},
		{"a text message at once", []string{masked(textFrame, "hello")}, []string{"close 1003"}},
		{"a message that is too long", []string{masked(binaryFrame, setup), "\x82\xFE\x03\xE9\x00\x00\x00\x00", strings.Repeat("x", 1001)}, []string{"ERROR 0 CONNECTION_ERROR a frame of 1001 bytes is announced, at most 1000 are taken", "close 1009"}},
		{"one that announces more than there is", []string{masked(binaryFrame, setup), "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00"}, []string{"ERROR 0 CONNECTION_ERROR…", "close 1009"}},
		{"one whose length is negative", []string{masked(binaryFrame, setup), "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00"}, []string{"ERROR 0 CONNECTION_ERROR…", "close 1000"}},
		{"the first one too long", []string{"\x82\xFE\x03\xE9\x00\x00\x00\x00"}, []string{"ERROR 0 INVALID_SETUP…", "close 1009"}},
		{"fragments without end", append([]string{masked(binaryFrame, setup), masked(binaryPart, "x")}, slice(200, masked(continued, "more of it"))...), []string{"ERROR 0 CONNECTION_ERROR…", "close 1009"}},
		{"an empty message", []string{masked(binaryFrame, setup), masked(binaryFrame, "")}, []string{"ERROR 0 CONNECTION_ERROR…", "close 1000"}},
		{"a frame without a mask", []string{"\x82\x05hello"}, []string{"close 1002"}},
		{"a continuation of nothing", []string{masked(lastPart, "hello")}, []string{"close 1002"}},
		{"a message within a message", []string{masked(binaryPart, "a"), masked(binaryFrame, "b")}, []string{"close 1002"}},
		{"compression that was not agreed on", []string{masked(0xC2, "hello")}, []string{"close 1002"}},
		{"an unknown opcode", []string{masked(0x83, "hello")}, []string{"close 1002"}},
		{"a close code that is none", []string{masked(0x88, "\x03\xED")}, []string{"close 1002"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := browse(t, addr)
			b.raw(tt.in...)
			b.want(tt.want...)
			check()
		})
	}
	onlyNeighbourLeft(t, s)
}

func slice(n int, s string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestFragmentedMessageIsOneFrameWithPingsInBetween(t *testing.T) {
	_, addr := startWebSocket(t, echo(), Config{})
	b := browse(t, addr)
	pongs := make(chan string, 10)
	b.SetPongHandler(func(s string) error { pongs <- s; return nil })
	request := string(frame.AppendRequest(nil, 1, frame.TypeRequestResponse, 0, nil, []byte("in parts")))
	b.raw(masked(binaryFrame, string(setupFrame())), masked(binaryPart, request[:3]), masked(pingFrame, "between"))
	// The pong comes before the message is whole.
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		b.want("PAYLOAD 1 NC in parts")
	}()
	if got := await.Value(t, "the pong", pongs); got != "between" {
		t.Errorf("pong %q", got)
	}
	b.raw(masked(continued, request[3:7]), masked(continued, ""), masked(lastPart, request[7:]))
	await.Value(t, "the answer", waited)
}

// Pings are answered by the latest pong, on the side: a peer that reads none
// neither stops what it sends from being read nor makes this side keep any.
func TestPingFlood(t *testing.T) {
	s, addr := startWebSocket(t, echo(), Config{WriteTimeout: 300 * time.Millisecond})
	check := neighbour(t, addr)
	b := browse(t, addr)
	b.send(setupFrame())
	await.Until(t, "both are served", func() bool { return len(s.Conns()) == 2 })
	before := runtime.NumGoroutine()
	pings := strings.Repeat(masked(pingFrame, strings.Repeat("p", 125)), 1000)
	for range 200 { // 26 MB, which as pongs would fill the socket
		if _, err := b.NetConn().Write([]byte(pings)); err != nil {
			break // cut off: as good
		}
	}
	if n := runtime.NumGoroutine(); n > before+10 {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	check()

	// Who reads gets the last one.
	b = browse(t, addr)
	last := make(chan string, 100)
	b.SetPongHandler(func(s string) error { last <- s; return nil })
	b.send(setupFrame())
	for i := range 50 {
		b.raw(masked(pingFrame, fmt.Sprint(i)))
	}
	go b.ReadMessage()
	for await.Value(t, "the last pong", last) != "49" {
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	_, addr := startWebSocket(t, echo(), Config{FirstFrameTimeout: 2 * time.Second})
	check := neighbour(t, addr)
	host := strings.TrimSuffix(strings.TrimPrefix(addr, "ws://"), "/rsocket")
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
		word          string
	}{
		{"wrong path", "GET /other HTTP/1.1\r\nHost: x\r\n" + upgrade, 404, "there is no RSocket at this path"},
		{"a path below", "GET /rsocket/more HTTP/1.1\r\nHost: x\r\n" + upgrade, 404, ""},
		{"plain GET", "GET /rsocket HTTP/1.1\r\nHost: x\r\n", 426, "connect with a WebSocket client"},
		{"POST with a body that never comes", "POST /rsocket HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n", 426, ""},
		{"POST that would upgrade", "POST /rsocket HTTP/1.1\r\nHost: x\r\n" + upgrade, 405, "method is not GET"},
		{"another version", "GET /rsocket HTTP/1.1\r\nHost: x\r\n" + strings.Replace(upgrade, "13", "8", 1), 400, "unsupported version"},
		{"another origin", "GET /rsocket HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example.org\r\n" + upgrade, 403, `the origin "http://evil.example.org" may not connect here`},
		{"its own origin", "GET /rsocket HTTP/1.1\r\nHost: x:1\r\nOrigin: http://x:1\r\n" + upgrade, 101, ""},
		{"no HTTP", "SETUP\r\n", 400, ""},
		{"endless headers", "GET /rsocket HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Padding: "+strings.Repeat("x", 1000)+"\r\n", 40), 431, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = nc.Write([]byte(tt.request + "\r\n")) // it may answer before it has read all
			_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
			r := bufio.NewReader(nc)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status {
				t.Errorf("status %s, want %d", resp.Status, tt.status)
			}
			if resp.StatusCode == http.StatusSwitchingProtocols {
				return
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || !strings.Contains(string(body), tt.word) {
				t.Errorf("%q, %v, want %q", body, err, tt.word)
			}
			if _, err := io.Copy(io.Discard, r); isTimeout(err) {
				t.Error("it is still connected")
			}
			check()
		})
	}
}

func TestHandshakesAreBoundedInNumber(t *testing.T) {
	l, addr := listen(t, "ws")
	serveAt(t, l, answering(echo()), Config{MaxConns: 3})
	check := neighbour(t, addr)
	var idle []net.Conn
	for range 4 {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		idle = append(idle, nc)
	}
	_ = idle[3].SetReadDeadline(time.Now().Add(5 * time.Second)) // less than a handshake may take
	if _, err := idle[3].Read(make([]byte, 1)); isTimeout(err) {
		t.Error("the fourth is held")
	}
	check()
	idle[0].Close()
	await.Until(t, "there is room again", func() bool {
		c, err := Dial(t.Context(), addr, Setup{}, Handler{}, Config{})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestListenerClosesWhatNobodyAccepted(t *testing.T) {
	for _, cfg := range []Config{{}, {FirstFrameTimeout: time.Second}} {
		l, addr := listen(t, "ws")
		if cfg.FirstFrameTimeout > 0 {
			cfg, err := cfg.WithDefaults()
			if err != nil {
				t.Fatal(err)
			}
			carrier.Bound(l, cfg)
		}
		accepted := make(chan error, 1)
		go func() { // one is taken, the listener's server runs
			nc, err := l.Accept()
			if err == nil {
				nc.Close()
			}
			accepted <- err
		}()
		browse(t, addr)
		if err := await.Value(t, "Accept", accepted); err != nil {
			t.Fatal(err)
		}
		b := browse(t, addr)
		if cfg.FirstFrameTimeout == 0 {
			l.Close()
		}
		b.want("close 1000")
		l.Close()
		if _, err := l.Accept(); err == nil {
			t.Error("Accept after Close")
		}
		if err := l.Close(); err == nil {
			t.Error("a second Close says nothing")
		}
	}
	l, _ := listen(t, "ws")
	if err := l.Close(); err != nil { // before any Accept
		t.Error(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("Accept after Close")
	}
}

func TestUpgradeOnAServerOfOnesOwn(t *testing.T) {
	s, err := NewServer(answering(echo()), Config{})
	if err != nil {
		t.Fatal(err)
	}
	allow := func(r *http.Request) bool { return r.Header.Get("Origin") != "http://evil.example.org" }
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nc, err := Upgrade(w, r, allow); err == nil {
			s.ServeConn(nc)
		}
	}))
	defer web.Close()
	defer s.Close()
	addr := "ws" + strings.TrimPrefix(web.URL, "http") + "/anything"
	c := dial(t, addr, Handler{}, Config{})
	if got, err := c.Call(t.Context(), text("hello")); err != nil || string(got.Data) != "hello" {
		t.Errorf("%q, %v", got.Data, err)
	}
	for origin, want := range map[string]int{"http://friend.example.org": 101, "http://evil.example.org": 403} {
		ws, resp, err := websocket.DefaultDialer.Dial(addr, http.Header{"Origin": {origin}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v", origin, resp, err)
		}
		if err == nil {
			ws.Close()
		}
	}
}

// Servers that are no WebSocket servers, as Dial tells of them.
func TestDialTellsWhatAnswered(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"a web page", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", `the server answered "200 OK" "hello", expected a WebSocket`},
		{"a redirect", "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", `answered "301 Moved" ""`},
		{"a false key", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm8=\r\n\r\n", `answered "101 Switching Protocols"`},
		{"no HTTP", "\x00\x00\x08\x00\x00\x00\x00", "malformed HTTP"},
		{"nothing", "", "EOF"},
		{"headers without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Padding: "+strings.Repeat("x", 1000)+"\r\n", 5000), "more than 65536 bytes of HTTP headers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				_, _ = http.ReadRequest(bufio.NewReader(nc))
				_, _ = nc.Write([]byte(tt.answer))
			}()
			addr := "ws://" + l.Addr().String() + "/p"
			_, err = Dial(t.Context(), addr, Setup{}, Handler{}, Config{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), addr) {
				t.Errorf("got %v, want %q of %s", err, tt.want, addr)
			}
		})
	}
}

// FuzzWebSocket feeds the accepting side's reader what a peer may send once it
// has upgraded.
func FuzzWebSocket(f *testing.F) {
	f.Add([]byte(masked(binaryFrame, "hello") + masked(pingFrame, "p") + masked(binaryFrame, "")))
	f.Add([]byte(masked(binaryPart, "a") + masked(continued, "b") + masked(lastPart, "c") + masked(0x88, "\x03\xE8")))
	f.Add([]byte("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 300
		theirs, ours := Pipe()
		if len(in) > pipeSize {
			in = in[:pipeSize]
		}
		_, _ = theirs.Write(in)
		theirs.(*pipeEnd).CloseWrite()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(k, v)
		}
		nc, err := Upgrade(&hijackable{httptest.NewRecorder(), ours}, r, nil)
		if err != nil {
			t.Fatal(err)
		}
		carrier.Bound(nc, Config{MaxFrame: limit})
		var got bytes.Buffer
		for step := 1; ; step = step%700 + 13 {
			n, err := io.CopyN(&got, nc, int64(step))
			if err != nil {
				break
			}
			if n == 0 {
				t.Fatal("no bytes, no error")
			}
		}
		if got.Len() > 2*len(in)+prefixSize {
			t.Fatalf("%d bytes out of %d", got.Len(), len(in))
		}
		frames := reader{src: &got, maxFrame: limit}
		for {
			if _, err := frames.next(); err != nil {
				if err != io.EOF {
					t.Fatalf("what came out is no stream of frames: %v", err)
				}
				break
			}
		}
		nc.Close()
		theirs.Close()
	})
}

type hijackable struct {
	http.ResponseWriter
	nc net.Conn
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}
