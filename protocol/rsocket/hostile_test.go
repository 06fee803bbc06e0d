package rsocket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

func TestGarbageClosesThatConnectionOnly(t *testing.T) {
	s, addr := startServer(t, echo(), Config{MaxFrame: 1 << 20})
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
		p.nc.Close()
		onlyNeighbourLeft(t, s)
		check()
	}
}

func TestStreamsAreBounded(t *testing.T) {
	const most = 8
	release := make(chan struct{})
	var running, highest atomic.Int32
	_, p, check := beside(t, Handler{Response: func(_ context.Context, p Payload) (Payload, error) {
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

// It overruns what is granted for a channel, an item at a time.
func TestPeerThatOverrunsItsCreditLosesTheStream(t *testing.T) {
	channels := make(chan *channel, 1)
	hold := make(chan struct{})
	defer close(hold)
	_, p, check := beside(t, Handler{Channel: func(_ context.Context, ch Channel) error {
		channels <- ch.(*channel)
		<-hold
		return nil
	}}, Config{Window: 2})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, nil))
	p.want("REQUEST_N 1 n=2")
	item := frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("i"))
	p.write(item, item, item, item)
	p.want("ERROR 1 INVALID more items than credit was granted for")
	ch := await.Value(t, "the channel", channels)
	ch.mu.Lock()
	if n := ch.items.len(); n != 1+2 {
		t.Errorf("%d items are held: the request's and 2 more may be", n)
	}
	ch.mu.Unlock()
	check()
	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("on")))
	p.want("PAYLOAD 3 NC on")
}

func TestUnreadItemsAreBoundedInBytes(t *testing.T) {
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	s, p, check := beside(t, Handler{Channel: func(context.Context, Channel) error {
		<-hold
		return nil
	}}, Config{Window: 1000, MaxUnread: 10_000})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, nil))
	p.want("REQUEST_N 1 n=1000")
	for range 11 {
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, make([]byte, 1000)))
	}
	p.want("ERROR 1 CANCELED the items of this connection that wait to be read exceed 10000 bytes")
	conn := connOf(t, s, p)
	if n := conn.unread.Load(); n != 10_000 {
		t.Errorf("%d bytes are held", n)
	}
	check()
	release()
	await.Until(t, "a stream that is over holds no bytes", func() bool { return conn.unread.Load() == 0 })
}

// A peer that makes this side owe it answers of the engine itself, for which
// nothing can be made to wait.
func TestPeerThatNeverReadsWhatItIsOwedIsDisconnected(t *testing.T) {
	const most, each = 64 << 10, 32 << 10
	s, p, check := beside(t, Handler{}, Config{MaxUnwritten: most, WriteTimeout: -1})
	held := highest(t, s, func(c *Conn) int { return c.w.debt() })
	conn := connOf(t, s, p)
	p.write(setupFrame())
	ping := prefixed(frame.AppendKeepAlive(nil, true, 0, make([]byte, each)))
	gone := func() bool {
		_, err := p.nc.Write(ping)
		return err != nil
	}
	for range 10_000 { // 320 MB of answers owed, if they were kept
		if gone() {
			break
		}
	}
	await.Until(t, "the peer that does not read is cut off", gone)
	onlyNeighbourLeft(t, s)
	if err := conn.Err(); !strings.Contains(err.Error(), "does not read what it asks for") {
		t.Error(err)
	}
	if h := held(); h > 2*most+mediumBuffer {
		t.Errorf("%d bytes were owed, at most %d and those of one read may be", h, 2*most)
	}
	check()
}

// A peer that does not read what handlers answer, or nearly not, makes them
// wait, and is cut off for the write that takes too long.
func TestPeerThatNeverReadsAnswersIsDisconnected(t *testing.T) {
	for name, pause := range map[string]time.Duration{"nothing": time.Hour, "a byte now and then": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			const most, each = 256 << 10, 32 << 10
			released := make(chan error, 1)
			s, p, check := beside(t, Handler{Stream: func(ctx context.Context, _ Payload, items Channel) error {
				for {
					if err := items.Send(ctx, Payload{Data: make([]byte, each)}); err != nil {
						released <- err
						return err
					}
				}
			}}, Config{MaxUnwritten: most, WriteTimeout: 300 * time.Millisecond})
			held := highest(t, s, func(c *Conn) int {
				c.w.mu.Lock()
				defer c.w.mu.Unlock()
				return len(c.w.buf) + c.w.besides
			})
			p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, 0, frame.MaxCredit, nil, nil))
			over, reading := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(reading)
				for {
					select {
					case <-time.After(pause):
						_, _ = p.nc.Read(make([]byte, 1)) // an error: it is cut off already
					case <-over:
						return
					}
				}
			}()
			check()
			if err := await.Value(t, "the sender is released", released); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
			onlyNeighbourLeft(t, s)
			close(over)
			<-reading
			if h := held(); h == 0 || h > most {
				t.Errorf("%d bytes waited to be written, at most %d may", h, most)
			}
			check()
		})
	}
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

// What is being answered, and what channels are opened with, waits too.
func TestRequestsThatWaitAreBoundedInBytes(t *testing.T) {
	const most, each = 10_000, 1000
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	h := Handler{
		FireAndForget: func(ctx context.Context, _ Payload) { _ = wait(ctx) },
		Stream:        func(ctx context.Context, _ Payload, _ Channel) error { return wait(ctx) },
		Channel:       func(ctx context.Context, _ Channel) error { return wait(ctx) },
		Response: func(ctx context.Context, p Payload) (Payload, error) {
			if p.size() < each {
				return p, nil // the neighbour's
			}
			return Payload{}, wait(ctx)
		},
	}
	for _, kind := range []frame.Type{frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel} {
		for _, fragments := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, ", in fragments: ", fragments), func(t *testing.T) {
				s, p, check := beside(t, h, Config{MaxUnread: most})
				held := highest(t, s, func(c *Conn) int { return int(c.unread.Load()) })
				p.write(setupFrame())
				open := func(id uint32, flags frame.Flags, data []byte) []byte {
					if kind == frame.TypeRequestStream || kind == frame.TypeRequestChannel {
						return frame.AppendRequestMany(nil, id, kind, flags, 1, nil, data)
					}
					return frame.AppendRequest(nil, id, kind, flags, nil, data)
				}
				for i := range uint32(100) {
					id, data := 2*i+1, make([]byte, each)
					if fragments {
						p.write(open(id, frame.FlagFollows, data[:each/2]), frame.AppendPayload(nil, id, frame.FlagNext, nil, data[each/2:]))
					} else {
						p.write(open(id, 0, data))
					}
				}
				p.write(frame.AppendKeepAlive(nil, true, 0, nil))
				refused := 0
				for got := p.read(); got != "KEEPALIVE 0"; got = p.read() {
					if strings.Contains(got, "REJECTED the requests and items of this connection that wait exceed 10000 bytes") {
						refused++
					}
				}
				if want := 100 - most/each; kind != frame.TypeRequestFNF && refused != want {
					t.Errorf("%d requests were refused, want %d", refused, want)
				}
				check()
				if h := held(); h != most {
					t.Errorf("%d bytes wait, want the %d that may", h, most)
				}
			})
		}
	}
}
