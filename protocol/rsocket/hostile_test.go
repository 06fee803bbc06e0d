package rsocket

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// neighbour returns a check that a well-behaved connection to addr still gets answers.
func neighbour(t *testing.T, addr string) (check func()) {
	c := dial(t, addr, Handler{}, Config{})
	return func() {
		t.Helper()
		if got, err := c.Call(t.Context(), text("hello")); err != nil || string(got.Data) != "hello" {
			t.Errorf("the neighbour got %q, %v", got.Data, err)
		}
	}
}

func TestGarbageClosesThatConnectionOnly(t *testing.T) {
	_, addr := startServer(t, echo(), Config{MaxFrame: 1 << 20})
	check := neighbour(t, addr)
	for _, garbage := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"\x00\x00\x00",
		"\x00\x00\x06\x80\x00\x00\x00\x04\x00",
		strings.Repeat("\xff", 4096),
	} {
		p := dialRaw(t, addr)
		if _, err := p.nc.Write([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
		p.want("ERROR 0 INVALID_SETUP…", "EOF")
		check()
	}
}

func TestStreamsAreBounded(t *testing.T) {
	const most = 8
	release := make(chan struct{})
	var running, highest atomic.Int32
	_, addr := startServer(t, Handler{Response: func(ctx context.Context, p Payload) (Payload, error) {
		if string(p.Data) == "hello" {
			return p, nil
		}
		highest.Store(max(highest.Load(), running.Add(1)))
		defer running.Add(-1)
		select {
		case <-release: // deaf to CANCEL: the worst handler there is
		case <-time.After(time.Minute):
		}
		return p, nil
	}}, Config{MaxStreams: most})
	defer close(release)
	check := neighbour(t, addr)
	p := dialRaw(t, addr)
	p.write(setupFrame())
	const asked = 2000
	asking := make(chan struct{})
	go func() {
		defer close(asking)
		for i := range uint32(asked) {
			id := 2*i + 1
			p.write(frame.AppendRequest(nil, id, frame.TypeRequestResponse, 0, nil, []byte("x")))
			p.write(frame.AppendCancel(nil, id)) // a cancelled request counts until its handler has returned
		}
	}()
	for range asked - most {
		if got := p.read(); !strings.Contains(got, " REJECTED 8 requests are being answered") {
			t.Fatal(got)
		}
	}
	<-asking
	if h := highest.Load(); h != most {
		t.Errorf("%d handlers ran at once, want %d", h, most)
	}
	check()
}

func TestPeerThatOverrunsItsCreditLosesTheStream(t *testing.T) {
	hold := make(chan struct{})
	p := rawClient(t, Handler{
		Response: echo().Response,
		Channel: func(ctx context.Context, ch Channel) error {
			<-hold
			return nil
		},
	}, Config{Window: 2})
	defer close(hold)
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, nil))
	p.want("REQUEST_N 1 n=2")
	item := frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("i"))
	p.write(item, item, item, item)
	p.want("ERROR 1 INVALID more items than credit was granted for")
	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("on")))
	p.want("PAYLOAD 3 NC on")
}

func TestUnreadItemsAreBoundedInBytes(t *testing.T) {
	hold := make(chan struct{})
	s, addr := startServer(t, Handler{Channel: func(ctx context.Context, ch Channel) error {
		<-hold
		return nil
	}}, Config{Window: 1000, MaxUnread: 10_000})
	p := dialRaw(t, addr)
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, nil))
	p.want("REQUEST_N 1 n=1000")
	for range 11 {
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, make([]byte, 1000)))
	}
	p.want("ERROR 1 CANCELED the items of this connection that wait to be read exceed 10000 bytes")
	conn := s.Conns()[0]
	close(hold)
	await.Until(t, "a stream that is over holds no bytes", func() bool { return conn.unread.Load() == 0 })
}

func TestPeerThatNeverReadsIsDisconnected(t *testing.T) {
	s, addr := startServer(t, echo(), Config{MaxUnwritten: 64 << 10, WriteTimeout: 200 * time.Millisecond})
	check := neighbour(t, addr)
	p := dialRaw(t, addr)
	p.write(setupFrame())
	ping := frame.AppendKeepAlive(nil, true, 0, make([]byte, 32<<10))
	n := len(ping)
	framed := append([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, ping...)
	gone := func() bool {
		_, err := p.nc.Write(framed)
		return err != nil
	}
	for range 10_000 { // 320 MB of answers owed, if they were kept
		if gone() {
			break
		}
	}
	await.Until(t, "the peer that does not read is cut off", gone)
	await.Until(t, "only the neighbour is left", func() bool { return len(s.Conns()) == 1 })
	check()
}

// pipe is a connection under test on one end of an in-memory pipe, inside a
// synctest bubble, where time is not real.
func pipe(t *testing.T, client bool, cfg Config) (*Conn, *peer) {
	ours, theirs := net.Pipe()
	p := newPeer(t, theirs)
	if client {
		c, err := Client(ours, Setup{KeepAlive: 10 * time.Second, Lifetime: 25 * time.Second}, echo(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return c, p
	}
	cfg, err := cfg.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(ours, Setup{}, cfg, false)
	serve(t, c, echo())
	return c, p
}

// serve makes c a connection of a server of its own.
func serve(t *testing.T, c *Conn, h Handler) {
	s, err := NewServer(func(context.Context, *Conn) (Handler, error) { return h, nil }, c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.tryTurn()
	c.wg.Go(func() { s.serve(c) })
}

func TestClientSendsKeepaliveAndLeavesASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, true, Config{})
		p.nc = noDeadline{p.nc}
		start := time.Now()
		p.want("SETUP 0…", "KEEPALIVE 0 respond")
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("the first KEEPALIVE came after %v", d)
		}
		p.write(frame.AppendKeepAlive(nil, false, 0, nil))
		answered := time.Now()
		p.want("KEEPALIVE 0 respond", "KEEPALIVE 0 respond", "ERROR 0 CONNECTION_ERROR no frame for 25s, the lifetime is 25s")
		if d := time.Since(answered); d != 25*time.Second {
			t.Errorf("left after %v", d)
		}
		c.Close()
	})
}

func TestServerLeavesASilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, false, Config{})
		p.nc = noDeadline{p.nc}
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: 5 * time.Second}, 0, nil, nil))
		time.Sleep(3 * time.Second)
		p.write(frame.AppendKeepAlive(nil, true, 0, nil))
		p.want("KEEPALIVE 0")
		start := time.Now()
		p.want("ERROR 0 CONNECTION_ERROR no frame for 5s…")
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("left after %v", d)
		}
		c.Close()
	})
}

func TestTrafficThatNeverPausesCountsAsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, false, Config{})
		p.nc = noDeadline{p.nc}
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: 5 * time.Second}, 0, nil, nil))
		push := frame.AppendMetadataPush(nil, []byte("m"))
		framed := append([]byte{0, 0, byte(len(push))}, push...)
		// Each write ends inside a frame, as the reads of a busy connection do.
		write := func(b []byte) {
			if _, err := p.nc.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		write(framed[:4])
		for range 20 {
			time.Sleep(time.Second)
			write(append(append([]byte{}, framed[4:]...), framed[:4]...))
		}
		if err := c.Err(); err != nil {
			t.Errorf("ended: %v", err)
		}
		c.Close()
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	s, addr := startServer(t, echo(), Config{MaxConns: 2})
	check := neighbour(t, addr)
	dialRaw(t, addr)
	await.Until(t, "the server is full", func() bool { return len(s.Conns()) == 2 })
	for range 5 {
		dialRaw(t, addr).want("EOF")
	}
	check()
}

func TestFirstFrameHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := pipe(t, false, Config{FirstFrameTimeout: 3 * time.Second})
		p.nc = noDeadline{p.nc}
		var loris sync.WaitGroup
		loris.Go(func() { // a byte now and then
			for range 10 {
				if _, err := p.nc.Write([]byte{1}); err != nil {
					return
				}
				time.Sleep(900 * time.Millisecond)
			}
		})
		start := time.Now()
		p.want("ERROR 0 INVALID_SETUP no SETUP within 3s")
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("after %v", d)
		}
		c.Close()
		loris.Wait()
	})
}

// noDeadline keeps the harness's own patience out of the bubble's clock.
type noDeadline struct{ net.Conn }

func (noDeadline) SetReadDeadline(time.Time) error { return nil }
