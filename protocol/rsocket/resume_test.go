package rsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket/frame"
)

var resuming = Config{ResumeFor: 10 * time.Second}

// An open channel, a stream and calls go on over connections that are cut again
// and again: nothing is lost, nothing comes twice, and nobody is told.
func TestNothingIsLostWhenConnectionsAreCut(t *testing.T) {
	h := echo()
	h.Stream = count
	for name, cfg := range map[string]Config{
		"whole":        resuming,
		"in fragments": {ResumeFor: 10 * time.Second, Fragment: 64},
		"tight":        {ResumeFor: 10 * time.Second, MaxRetained: 16 << 10, MaxUnwritten: 4 << 10, Window: 8},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := startServer(t, h, cfg)
			p := cut.New(t, "")
			c := dial(t, p.Before(t, addr), Handler{}, cfg)
			ctx := await.Context(t)
			stop := make(chan struct{})
			cutter := make(chan struct{})
			go func() {
				defer close(cutter)
				for range 15 {
					select {
					case <-time.After(15 * time.Millisecond):
						p.Cut()
					case <-stop:
						return
					}
				}
			}()
			var wg sync.WaitGroup
			long := strings.Repeat("x", 100)
			wg.Go(func() { // a channel, both ways
				ch, err := c.OpenChannel(ctx, text("first"))
				if err != nil {
					t.Error(err)
					return
				}
				if p, err := ch.Recv(ctx); err != nil || string(p.Data) != "first" {
					t.Errorf("%q, %v", p.Data, err)
				}
				wg.Go(func() {
					for i := range 3000 {
						if err := ch.Send(ctx, text(fmt.Sprint(long, i))); err != nil {
							t.Errorf("item %d: %v", i, err)
							return
						}
					}
					_ = ch.CloseSend()
				})
				for i := range 3000 {
					p, err := ch.Recv(ctx)
					if err != nil || string(p.Data) != fmt.Sprint(long, i) {
						t.Errorf("item %d: %q, %v", i, p.Data, err)
						return
					}
				}
				if _, err := ch.Recv(ctx); !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			})
			wg.Go(func() { // a stream
				ch, err := c.OpenStream(ctx, text("5000"))
				if err != nil {
					t.Error(err)
					return
				}
				if n := drain(t, ch); n != 5000 {
					t.Errorf("%d items", n)
				}
			})
			for range 4 { // calls
				wg.Go(func() {
					for i := range 500 {
						want := fmt.Sprint(long, i)
						if p, err := c.Call(ctx, text(want)); err != nil || string(p.Data) != want {
							t.Errorf("call %d: %q, %v", i, p.Data, err)
							return
						}
					}
				})
			}
			wg.Wait()
			close(stop)
			<-cutter
			if p.Times() == 1 {
				t.Error("the connection was never resumed")
			}
		})
	}
}

func TestResumeByRawFrames(t *testing.T) {
	setup := func(token string) []byte {
		return frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour, Token: []byte(token)}, 0, nil, nil)
	}
	resume := func(token string, received, first uint64) []byte {
		return frame.AppendResume(nil, frame.Resume{Token: []byte(token), ServerPosition: received, ClientPosition: first})
	}
	ask := func(id uint32) []byte {
		return frame.AppendRequest(nil, id, frame.TypeRequestResponse, 0, nil, []byte("a"))
	}
	const size = frame.HeaderSize + 1 // of a request above, and of its reply

	// begin makes a connection with two calls behind it, and loses it.
	begin := func(t *testing.T, cfg Config) (*Server, string) {
		s, addr := startServer(t, echo(), cfg)
		p := dialRaw(t, addr)
		p.write(setup("t"), ask(1), ask(3))
		p.wantAll("PAYLOAD 1 NC a", "PAYLOAD 3 NC a")
		p.nc.Close()
		return s, addr
	}
	t.Run("nothing was lost", func(t *testing.T) {
		_, addr := begin(t, resuming)
		p := dialRaw(t, addr)
		p.write(resume("t", 2*size, 2*size))
		p.want(fmt.Sprintf("RESUME_OK 0 at=%d", 2*size))
		p.write(ask(5))
		p.want("PAYLOAD 5 NC a")
	})
	t.Run("a reply was lost", func(t *testing.T) {
		_, addr := begin(t, resuming)
		p := dialRaw(t, addr)
		p.write(resume("t", size, size))
		p.want(fmt.Sprintf("RESUME_OK 0 at=%d", 2*size))
		if got := p.read(); got != "PAYLOAD 1 NC a" && got != "PAYLOAD 3 NC a" {
			t.Error(got)
		}
	})
	t.Run("the server has not seen the loss yet", func(t *testing.T) {
		_, addr := startServer(t, echo(), resuming)
		old := dialRaw(t, addr)
		old.write(setup("t"), ask(1))
		old.want("PAYLOAD 1 NC a")
		p := dialRaw(t, addr)
		p.write(resume("t", 0, size))
		p.want(fmt.Sprintf("RESUME_OK 0 at=%d", size), "PAYLOAD 1 NC a")
		old.want("EOF")
	})
	t.Run("KEEPALIVE tells what need not be kept", func(t *testing.T) {
		_, addr := startServer(t, echo(), resuming)
		p := dialRaw(t, addr)
		p.write(setup("t"), ask(1))
		p.want("PAYLOAD 1 NC a")
		p.write(frame.AppendKeepAlive(nil, true, size, nil))
		if got := p.read(); got != "KEEPALIVE 0" {
			t.Fatal(got)
		}
		p.nc.Close()
		p = dialRaw(t, addr)
		p.write(resume("t", 0, size))
		p.want("ERROR 0 REJECTED_RESUME position 0 is not kept: 7 to 7 are", "EOF")
	})
	for rule, tt := range map[string]struct {
		frame []byte
		out   string
	}{
		"an unknown token":                    {resume("u", 0, 0), "ERROR 0 REJECTED_RESUME no connection waits under this token"},
		"a position that was never sent":      {resume("t", 3*size, 0), "ERROR 0 REJECTED_RESUME position 21 is not kept: 0 to 14 are"},
		"a position in the middle of a frame": {resume("t", 3, 0), "ERROR 0 REJECTED_RESUME position 3 is in the middle of a frame"},
		"the client lacks what it sent":       {resume("t", 0, 3*size), "ERROR 0 REJECTED_RESUME the client keeps frames from position 21 on, 14 is needed"},
		"a token in use":                      {setup("t"), "ERROR 0 REJECTED_SETUP the resume token is in use"},
		"an empty token":                      {frame.AppendSetup(nil, frame.Setup{KeepAlive: 1e9, Lifetime: 1e9, Token: []byte{}}, 0, nil, nil), "ERROR 0 INVALID_SETUP the resume token is empty"},
	} {
		t.Run(rule, func(t *testing.T) {
			_, addr := begin(t, resuming)
			p := dialRaw(t, addr)
			p.write(tt.frame)
			p.want(tt.out, "EOF")
		})
	}
	t.Run("frames beyond the bound are gone", func(t *testing.T) {
		_, addr := begin(t, Config{ResumeFor: 10 * time.Second, MaxRetained: 2 * size})
		p := dialRaw(t, addr)
		p.write(resume("t", 0, 0))
		p.want("ERROR 0 REJECTED_RESUME position 0 is not kept: 7 to 14 are", "EOF")
	})
	t.Run("a client that does not come back", func(t *testing.T) {
		s, addr := begin(t, Config{ResumeFor: 20 * time.Millisecond})
		check := neighbour(t, addr)
		onlyNeighbourLeft(t, s)
		check()
	})
}

func TestClientResumesByRawFrames(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, "tcp://"+l.Addr().String(), Handler{}, resuming)
	accept := func() *peer {
		t.Helper()
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return newPeer(t, nc)
	}
	p := accept()
	p.want("SETUP 0…")
	result := make(chan error, 1)
	go func() {
		got, err := c.Call(await.Context(t), text("a"))
		if err == nil && string(got.Data) != "b" {
			err = fmt.Errorf("got %q", got.Data)
		}
		result <- err
	}()
	p.want("REQUEST_RESPONSE 1 a")
	p.nc.Close()

	p = accept() // which has seen nothing of it
	if got := p.read(); !strings.HasPrefix(got, "RESUME 0 ") || !strings.HasSuffix(got, " received=0 first=0") {
		t.Fatal(got)
	}
	p.write(frame.AppendResumeOK(nil, 0))
	p.want("REQUEST_RESPONSE 1 a")
	p.nc.Close()

	p = accept() // which has
	p.want("RESUME 0…")
	p.write(frame.AppendResumeOK(nil, 7), frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagComplete, nil, []byte("b")))
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	p.nc.Close()

	p = accept()
	if got := p.read(); !strings.HasSuffix(got, " received=7 first=7") {
		t.Fatal(got)
	}
	p.write(frame.AppendError(nil, 0, frame.CodeRejectedResume, "no"))
	<-c.Done()
	var e *Error
	if err := c.Err(); !errors.As(err, &e) || e.Code != frame.CodeRejectedResume || !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestClosingDoesNotWaitToBeResumed(t *testing.T) {
	s, addr := startServer(t, echo(), Config{ResumeFor: time.Hour})
	c := dial(t, addr, Handler{}, Config{ResumeFor: time.Hour})
	if _, err := c.Call(t.Context(), text("a")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	await.Until(t, "the server has let go", func() bool { return len(s.Conns()) == 0 })

	p := cut.New(t, "")
	c = dial(t, p.Before(t, addr), Handler{}, Config{ResumeFor: time.Hour})
	if _, err := c.Call(t.Context(), text("a")); err != nil {
		t.Fatal(err)
	}
	p.Lead("")
	p.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Call(ctx, text("b")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a carrier: %v", err)
	}
	c.Close()
	s.Close()
}

// A connection whose carrier is lost has its place already.
func TestAFullServerLetsItsOwnResume(t *testing.T) {
	cfg := Config{ResumeFor: 10 * time.Second, MaxConns: 1}
	_, addr := startServer(t, echo(), cfg)
	p := cut.New(t, "")
	c := dial(t, p.Before(t, addr), Handler{}, cfg)
	for range 3 {
		if _, err := c.Call(await.Context(t), text("a")); err != nil {
			t.Fatal(err)
		}
		other := dialRaw(t, addr)
		other.write(setupFrame())
		other.want("EOF") // for others it is full
		p.Cut()
	}
	if _, err := c.Call(await.Context(t), text("b")); err != nil {
		t.Error(err)
	}
}
