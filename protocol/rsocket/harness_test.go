package rsocket

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/protocol/rsocket/frame"
)

// peer is the other end of a connection, played by hand: a test writes raw
// frames and says which it wants back.
type peer struct {
	t  testing.TB
	nc net.Conn
	r  reader
}

func newPeer(t testing.TB, nc net.Conn) *peer {
	t.Cleanup(func() { nc.Close() })
	return &peer{t: t, nc: nc, r: reader{src: nc, maxFrame: frame.MaxSize}}
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

// read returns the next frame, in words: see words.
func (p *peer) read() string {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	b, err := p.r.next()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF) ||
		err != nil && strings.Contains(err.Error(), "the peer closed the WebSocket") {
		return "EOF"
	}
	if err != nil {
		return "ERR " + err.Error()
	}
	return words(b)
}

// want reads as many frames as there are expectations. One that ends in … is a prefix.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		got := p.read()
		if prefix, ok := strings.CutSuffix(want, "…"); ok && strings.HasPrefix(got, prefix) {
			continue
		}
		if got != want {
			p.t.Fatalf("frame\n got %s\nwant %s", got, want)
		}
	}
}

// wantAll reads as many frames as there are expectations, which come in any
// order, and perhaps with words about positions in between.
func (p *peer) wantAll(frames ...string) {
	p.t.Helper()
	missing := map[string]bool{}
	for _, f := range frames {
		missing[f] = true
	}
	for range frames {
		got := p.read()
		for got == "KEEPALIVE 0" {
			got = p.read()
		}
		if !missing[got] {
			p.t.Fatalf("got %s, want one of %v", got, missing)
		}
		delete(missing, got)
	}
}

// words writes a frame as "PAYLOAD 1 NC data", as the tables have it.
func words(b []byte) string {
	f, err := frame.Parse(b)
	if err != nil {
		return err.Error() + " " + hex.EncodeToString(b)
	}
	s := fmt.Sprintf("%s %d", f.Type, f.StreamID)
	switch f.Type {
	case frame.TypePayload:
		s += " "
		for flag, letter := range map[frame.Flags]string{frame.FlagNext: "N"} {
			if f.Has(flag) {
				s += letter
			}
		}
		if f.Has(frame.FlagComplete) {
			s += "C"
		}
		if f.Has(frame.FlagFollows) {
			s += "F"
		}
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestChannel, frame.TypeRequestStream:
		if f.Has(frame.FlagFollows) {
			s += " :F"
		}
		if f.N > 0 {
			s += fmt.Sprintf(" n=%d", f.N)
		}
	case frame.TypeRequestN:
		s += fmt.Sprintf(" n=%d", f.N)
	case frame.TypeLease:
		s += fmt.Sprintf(" n=%d ttl=%d", f.N, f.TTL)
	case frame.TypeResumeOK:
		s += fmt.Sprintf(" at=%d", f.Position)
	case frame.TypeResume:
		s += fmt.Sprintf(" %s received=%d first=%d", f.Resume.Token, f.Resume.ServerPosition, f.Resume.ClientPosition)
	case frame.TypeError:
		s += " " + f.Code.String()
	case frame.TypeKeepAlive:
		if f.Has(frame.FlagRespond) {
			s += " respond"
		}
	}
	if f.Metadata != nil {
		s += fmt.Sprintf(" [%s]", f.Metadata)
	}
	if len(f.Data) > 0 {
		s += " " + string(f.Data)
	}
	return s
}

func setupFrame() []byte {
	return frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour, MetadataMIME: "a/b", DataMIME: "c/d"}, 0, nil, nil)
}

// rawClient is a hand-played client of a server with this handler. It has not sent SETUP.
func rawClient(t testing.TB, h Handler, cfg Config) *peer {
	t.Helper()
	_, addr := startServer(t, h, cfg)
	return dialRaw(t, addr)
}

// dialRaw connects by hand to an address of any scheme. The server's certificate
// is that of listen.
func dialRaw(t testing.TB, addr string) *peer {
	t.Helper()
	nc, err := Connect(t.Context(), addr, Config{TLS: certs.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

// rawServer is a hand-played server and the connection under test as its client.
// SETUP has been read.
func rawServer(t testing.TB, h Handler, cfg Config) (*Conn, *peer) {
	t.Helper()
	return rawServerOver(t, "tcp", h, cfg)
}

func rawServerOver(t testing.TB, scheme string, h Handler, cfg Config) (*Conn, *peer) {
	t.Helper()
	l, addr := listen(t, scheme)
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if nc, err := l.Accept(); err == nil {
			accepted <- nc
		}
	}()
	c := dial(t, addr, h, cfg)
	p := newPeer(t, await.Value(t, "the connection", accepted))
	p.want("SETUP 0…")
	return c, p
}

// overEach runs a test over the carrier that has lengths in front of frames and
// over the one that has not.
func overEach(t *testing.T, test func(t *testing.T, scheme string)) {
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run(scheme, func(t *testing.T) { test(t, scheme) })
	}
}

func startServer(t testing.TB, h Handler, cfg Config) (*Server, string) {
	t.Helper()
	return startAcceptor(t, answering(h), cfg)
}

func startAcceptor(t testing.TB, a Acceptor, cfg Config) (*Server, string) {
	t.Helper()
	l, addr := listen(t, "tcp")
	return serveAt(t, l, a, cfg), addr
}

// startInMemory is startServer in memory: connect makes one more connection to
// it. In a bubble of synctest its time is the bubble's.
func startInMemory(t testing.TB, a Acceptor, cfg Config) (s *Server, connect func() net.Conn) {
	t.Helper()
	s, err := NewServer(a, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, func() net.Conn {
		theirs, ours := Pipe()
		go s.ServeConn(ours)
		return theirs
	}
}

func dial(t testing.TB, addr string, h Handler, cfg Config) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), addr, Setup{}, h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo answers a request with itself, and a channel item by item.
func echo() Handler {
	return Handler{
		Response: func(_ context.Context, p Payload) (Payload, error) { return p, nil },
		Channel: func(ctx context.Context, ch Channel) error {
			for {
				p, err := ch.Recv(ctx)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if err := ch.Send(ctx, p); err != nil {
					return err
				}
			}
		},
	}
}

func text(s string) Payload { return Payload{Data: []byte(s)} }
