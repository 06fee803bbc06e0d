package rsocketgo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// peer is the other end of a connection, played by hand: a test writes raw
// frames and says which it wants back.
type peer struct {
	t  *testing.T
	nc net.Conn
}

// rawServer is a hand-played server and the client under test. SETUP has been read.
func rawServer(t *testing.T, h rsocket.Handler, cfg rsocket.Config) (*Conn, *peer) {
	t.Helper()
	return rawServerFor(t, rsocket.Setup{KeepAlive: time.Hour, Lifetime: 2 * time.Hour}, h, cfg)
}

func rawServerFor(t *testing.T, s rsocket.Setup, h rsocket.Handler, cfg rsocket.Config) (*Conn, *peer) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := Dial(t.Context(), "tcp://"+l.Addr().String(), s, h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // never fails
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	p := &peer{t, nc}
	p.want("SETUP 0")
	return c, p
}

// rawClient is a hand-played client of a server under test. It has not sent SETUP.
func rawClient(t *testing.T, h rsocket.Handler, cfg rsocket.Config) (*Server, *peer) {
	t.Helper()
	return rawAccepted(t, func(context.Context, *Conn) (rsocket.Handler, error) { return h, nil }, cfg)
}

func rawAccepted(t *testing.T, a Acceptor, cfg rsocket.Config) (*Server, *peer) {
	t.Helper()
	s, err := NewServer(a, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // never fails
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }() // Close ends it
	return s, &peer{t, dialRaw(t, l.Addr().String())}
}

func dialRaw(t *testing.T, address string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// write sends frames as they are, each behind its length.
func (p *peer) write(frames ...[]byte) {
	p.t.Helper()
	for _, f := range frames {
		n := len(f)
		if _, err := p.nc.Write(append([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, f...)); err != nil {
			p.t.Fatalf("write: %v", err)
		}
	}
}

// read returns the next frame, in words.
func (p *peer) read() string {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 3)
	if _, err := io.ReadFull(p.nc, b); errors.Is(err, io.EOF) {
		return "EOF"
	} else if err != nil {
		return "ERR " + err.Error()
	}
	b = make([]byte, int(b[0])<<16|int(b[1])<<8|int(b[2]))
	if _, err := io.ReadFull(p.nc, b); err != nil {
		return "ERR " + err.Error()
	}
	f, err := frame.Parse(b)
	if err != nil {
		return err.Error()
	}
	return words(&f)
}

// words is a frame as "PAYLOAD 1 NC data".
func words(f *frame.Frame) string {
	s := fmt.Sprintf("%s %d", f.Type, f.StreamID)
	switch f.Type {
	case frame.TypeSetup:
		return s
	case frame.TypePayload:
		s += " "
		if f.Has(frame.FlagNext) {
			s += "N"
		}
		if f.Has(frame.FlagComplete) {
			s += "C"
		}
	case frame.TypeRequestN, frame.TypeRequestChannel, frame.TypeRequestStream:
		s += fmt.Sprintf(" n=%d", f.N)
	case frame.TypeError:
		s += " " + f.Code.String()
	}
	if len(f.Data) > 0 {
		s += " " + string(f.Data)
	}
	return s
}

// want reads as many frames as there are expectations.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.read(); got != want {
			p.t.Fatalf("frame\n got %s\nwant %s", got, want)
		}
	}
}

// alive wants a request to be answered.
func (p *peer) alive(id uint32) {
	p.t.Helper()
	p.write(request(id, "still there?"))
	p.want(fmt.Sprintf("PAYLOAD %d NC still there?", id))
}

var setup = frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour, MetadataMIME: "a/b", DataMIME: "c/d"}

func setupFrame() []byte { return frame.AppendSetup(nil, setup, 0, nil, nil) }

func request(id uint32, data string) []byte {
	return frame.AppendRequest(nil, id, frame.TypeRequestResponse, 0, nil, []byte(data))
}

func item(id uint32, data string) []byte {
	return frame.AppendPayload(nil, id, frame.FlagNext, nil, []byte(data))
}

func openChannel(t *testing.T, c *Conn) rsocket.Channel {
	t.Helper()
	ch, err := c.OpenChannel(await.Context(t), rsocket.Payload{Data: []byte("0")})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// edited puts another byte into a frame.
func edited(f []byte, at int, to byte) []byte {
	f[at] = to
	return f
}
