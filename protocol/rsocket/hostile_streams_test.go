package rsocket

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// holding answers "hello", as neighbours ask it, and keeps streams and channels
// open until they are cancelled. It counts those that are.
func holding(open *atomic.Int64) Handler {
	hold := func(ctx context.Context) error {
		open.Add(1)
		defer open.Add(-1)
		<-ctx.Done()
		return ctx.Err()
	}
	return Handler{
		Response: echo().Response,
		Stream:   func(ctx context.Context, _ Payload, _ Channel) error { return hold(ctx) },
		Channel:  func(ctx context.Context, _ Channel) error { return hold(ctx) },
	}
}

func TestAHundredThousandStreamsAtOnce(t *testing.T) {
	const asked, most = 100_000, 4096 // by default
	var open atomic.Int64
	_, p, check := beside(t, holding(&open), Config{})
	written := make(chan struct{})
	var answered atomic.Int64
	go func() {
		defer close(written)
		var b bytes.Buffer
		b.Write(prefixed(setupFrame()))
		for i := range uint32(asked) {
			kind := frame.TypeRequestStream
			if i%2 == 1 {
				kind = frame.TypeRequestChannel
			}
			b.Write(prefixed(frame.AppendRequestMany(nil, 2*i+1, kind, 0, 1, nil, []byte("x"))))
			if b.Len() > 1<<16 || i == asked-1 {
				if _, err := b.WriteTo(p.nc); err != nil {
					t.Error(err)
					return
				}
				// It does read its answers, or it would be cut off for that.
				for int64(i)-answered.Load() > 2*most {
					time.Sleep(100 * time.Microsecond)
				}
			}
		}
	}()
	for refused := 0; refused < asked-most; {
		switch got := p.read(); {
		case strings.Contains(got, " REJECTED 4096 requests are being answered, at most 4096"):
			refused++
			answered.Add(1)
		case !strings.HasPrefix(got, "REQUEST_N "):
			answered.Store(asked)
			t.Fatal(got)
		}
	}
	<-written
	await.Until(t, "as many as are allowed are being answered", func() bool { return open.Load() == most })
	check()
	p.nc.Close()
	await.Until(t, "none is, once the peer has gone", func() bool { return open.Load() == 0 })
	check()
}

func TestEndlessFragments(t *testing.T) {
	const each, all = 1 << 20, 2 << 20
	s, p, check := beside(t, echo(), Config{MaxPayload: each, MaxReassembly: all})
	p.write(setupFrame())
	held := highest(t, s, func(c *Conn) int {
		c.parts.mu.Lock()
		defer c.parts.mu.Unlock()
		return c.parts.bytes
	})
	piece := make([]byte, 64<<10)
	refusals := make(chan string, 100)
	go func() {
		defer close(refusals)
		for range 2 + 2 {
			refusals <- p.read()
		}
	}()
	for _, id := range []uint32{1, 3} { // each without end
		p.write(frame.AppendRequest(nil, id, frame.TypeRequestResponse, frame.FlagFollows, nil, nil))
		for range 10 * each / len(piece) {
			p.write(frame.AppendPayload(nil, id, frame.FlagNext|frame.FlagFollows, nil, piece))
		}
	}
	for id := uint32(5); id <= 11; id += 2 { // many together
		p.write(frame.AppendRequest(nil, id, frame.TypeRequestResponse, frame.FlagFollows, nil, nil))
		for range each / 4 * 3 / len(piece) {
			p.write(frame.AppendPayload(nil, id, frame.FlagNext|frame.FlagFollows, nil, piece))
		}
	}
	var got []string
	for r := range refusals {
		got = append(got, r)
	}
	want := []string{"ERROR 1 INVALID a payload of more than", "ERROR 3 INVALID a payload of more than", "ERROR 9 REJECTED the unfinished payloads", "ERROR 11 REJECTED the unfinished payloads"}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("answer %d is %s, want %s…", i, got[i], w)
		}
	}
	if h := held(); h == 0 || h > all {
		t.Errorf("%d bytes of unfinished payloads were held, at most %d may be", h, all)
	}
	check()
}

func TestAnIdUsedAgainAndAgainIsOneStream(t *testing.T) {
	var open, begun atomic.Int64
	h := holding(&open)
	_, p, check := beside(t, Handler{Stream: func(ctx context.Context, p Payload, items Channel) error {
		begun.Add(1)
		return h.Stream(ctx, p, items)
	}}, Config{})
	p.write(setupFrame())
	for range 10_000 {
		p.write(frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, 0, 1, nil, nil))
	}
	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("alive")))
	p.want("PAYLOAD 3 NC alive")
	await.Until(t, "the one is being answered", func() bool { return open.Load() == 1 })
	p.write(frame.AppendCancel(nil, 1))
	await.Until(t, "none is", func() bool { return open.Load() == 0 })
	if n := begun.Load(); n != 1 {
		t.Errorf("%d requests were begun under one id", n)
	}
	check()
}

func TestCreditDoesNotOverflow(t *testing.T) {
	begin := make(chan struct{})
	sent := make(chan error, 1)
	s, p, check := beside(t, Handler{Stream: func(ctx context.Context, _ Payload, items Channel) error {
		<-begin
		for range 10 {
			if err := items.Send(ctx, text("i")); err != nil {
				sent <- err
				return err
			}
		}
		ch := items.(*channel)
		ch.mu.Lock()
		defer ch.mu.Unlock()
		if ch.credit != math.MaxInt64-10 {
			sent <- fmt.Errorf("%d credits are left", ch.credit)
			return nil
		}
		sent <- nil
		return nil
	}}, Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, 0, frame.MaxCredit, nil, nil))
	ch := findChannel(t, s, p)
	ch.mu.Lock()
	ch.credit = math.MaxInt64 - 5 // as after two thousand million grants
	ch.mu.Unlock()
	for range 3 {
		p.write(frame.AppendRequestN(nil, 1, frame.MaxCredit))
	}
	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("alive")))
	p.want("PAYLOAD 3 NC alive")
	close(begin)
	if err := await.Value(t, "the items are sent", sent); err != nil {
		t.Error(err)
	}
	check()
}

// The same before the request has arrived whole.
func TestCreditForAnUnfinishedRequestDoesNotOverflow(t *testing.T) {
	credit := make(chan int64, 1)
	_, p, check := beside(t, Handler{Stream: func(_ context.Context, _ Payload, items Channel) error {
		ch := items.(*channel)
		ch.mu.Lock()
		defer ch.mu.Unlock()
		credit <- ch.credit
		return nil
	}}, Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, frame.FlagFollows, frame.MaxCredit, nil, []byte("a")))
	for range 3 {
		p.write(frame.AppendRequestN(nil, 1, frame.MaxCredit))
	}
	p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("b")))
	p.want("PAYLOAD 1 C")
	if n := await.Value(t, "the credit", credit); n != frame.MaxCredit {
		t.Errorf("%d credits", n)
	}
	check()
}

func TestAPeerThatNeverGrantsCreditIsSentNothing(t *testing.T) {
	var sent atomic.Int64
	over := make(chan error, 1)
	s, p, check := beside(t, Handler{Stream: func(ctx context.Context, _ Payload, items Channel) error {
		for {
			if err := items.Send(ctx, Payload{Data: make([]byte, 1000)}); err != nil {
				over <- err
				return err
			}
			sent.Add(1)
		}
	}}, Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, 0, 1, nil, nil))
	p.want("PAYLOAD 1 N…")
	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("alive")))
	p.want("PAYLOAD 3 NC alive") // and nothing of stream 1 before
	for _, c := range s.Conns() {
		c.w.mu.Lock()
		if n := len(c.w.buf); n != 0 {
			t.Errorf("%d bytes wait to be written", n)
		}
		c.w.mu.Unlock()
	}
	if n := sent.Load(); n != 1 {
		t.Errorf("%d items were sent on a credit of 1", n)
	}
	check()
	p.nc.Close()
	if err := await.Value(t, "the sender is released", over); err == nil {
		t.Error("no error")
	}
}

func TestHalfOpenPeersAreLeft(t *testing.T) {
	t.Run("it closes its half", func(t *testing.T) {
		s, p, check := beside(t, echo(), Config{})
		p.write(setupFrame())
		await.Until(t, "it is here", func() bool { return len(s.Conns()) == 2 })
		if err := p.nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		p.want("EOF")
		onlyNeighbourLeft(t, s)
		check()
	})
	t.Run("it sends the rest of a frame never", func(t *testing.T) {
		s, p, check := beside(t, echo(), Config{})
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: 50 * time.Millisecond, Lifetime: 100 * time.Millisecond}, 0, nil, nil))
		if _, err := p.nc.Write([]byte{0xFF, 0xFF, 0xFF, 0}); err != nil {
			t.Fatal(err)
		}
		p.want("ERROR 0 CONNECTION_ERROR no frame for…", "EOF")
		onlyNeighbourLeft(t, s)
		check()
	})
}

// findChannel waits for stream 1 of the connection that p made.
func findChannel(t *testing.T, s *Server, p *peer) *channel {
	t.Helper()
	conn := connOf(t, s, p)
	var ch *channel
	await.Until(t, "the stream is there", func() bool {
		ch, _ = conn.streams.find(1).(*channel)
		return ch != nil
	})
	return ch
}
