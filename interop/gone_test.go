package interop

import (
	"context"
	"errors"
	"io"
	"testing"

	"warmline.dev/protocol/rsocket"
)

// hanging has a request and a channel under way that are never answered, and
// returns what they come to.
func hanging(t *testing.T, asks, answers end) (request, channel <-chan error) {
	t.Helper()
	r, c := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := asks.call(message{"", wordHang})
		r <- err
	}()
	s := asks.open(wordHang)
	go func() {
		_, err := s.recv()
		c <- err
	}()
	for range 2 {
		take(t, "a request that hangs", answers.seen().hung)
	}
	return r, c
}

// wantBroken wants a call to have failed, and nobody to have said why.
func wantBroken(t *testing.T, what string, result <-chan error) {
	t.Helper()
	err := take(t, what, result)
	if err == nil || errors.Is(err, io.EOF) || told(err) != (refused{}) {
		t.Errorf("%s: got %v, want that the connection was lost", what, err)
	}
}

func TestAnsweringEndGoesAway(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		request, channel := hanging(t, asks, answers)
		answers.close()
		wantBroken(t, "the request", request)
		wantBroken(t, "the channel", channel)
		wantReleased(t, answers, 2)
		wantGone(t, asks)
	})
}

func TestAskingEndGoesAway(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		request, channel := hanging(t, asks, answers)
		asks.close()
		wantBroken(t, "the request", request)
		wantBroken(t, "the channel", channel)
		wantReleased(t, answers, 2)
		wantGone(t, answers)
	})
}

// Both ends ask when the connection goes.
func TestBothAsk(t *testing.T) {
	each(t, func(t *testing.T, one, other end) {
		request1, channel1 := hanging(t, one, other)
		request2, channel2 := hanging(t, other, one)
		one.close()
		for what, result := range map[string]<-chan error{
			"its request": request1, "its channel": channel1,
			"the other's request": request2, "the other's channel": channel2,
		} {
			wantBroken(t, what, result)
		}
		wantReleased(t, one, 2)
		wantReleased(t, other, 2)
		wantGone(t, other)
	})
}

func wantReleased(t *testing.T, e end, n int) {
	t.Helper()
	for range n {
		take(t, "a handler is told to stop", e.seen().released)
	}
}

// wantGone wants an end to know that the connection is over, and our engine to
// hold nothing of it.
func wantGone(t *testing.T, e end) {
	t.Helper()
	ours, ok := e.(*ourEnd)
	if !ok {
		take(t, "rsocket-go's end is over", e.seen().over)
		err := within(t, "a request on a connection that is over", func() error {
			_, err := e.call(message{"", "anybody?"})
			return err
		})
		if err == nil {
			t.Error("a request on a connection that is over succeeded")
		}
		return
	}
	take(t, "the connection is over", ours.conn.Done())
	if err := ours.conn.Err(); !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("Err is %v, want ErrClosed", err)
	}
	eventually(t, "nothing is under way", func() bool { return ours.conn.InFlight() == 0 })
}

// Our end closes gracefully: rsocket-go's end takes that for the end.
func TestShutdown(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		if _, err := asks.call(message{"", "hello"}); err != nil {
			t.Fatal(err)
		}
		ours, theirs := asks, answers
		if _, ok := asks.(*goEnd); ok {
			ours, theirs = answers, asks
		}
		quiet(t)
		within(t, "Shutdown", func() error { return ours.(*ourEnd).conn.Shutdown(context.Background()) })
		wantGone(t, theirs)
		wantGone(t, ours)
	})
}

// Our requester gives up: rsocket-go's handler is told, and the connection goes on.
// The other way round there is nothing to hold it to: rsocket-go sends no CANCEL,
// and its request stays.
func TestGiveUp(t *testing.T) {
	weAsk(t, func(t *testing.T, ours *ourEnd, answers end) {
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() {
			_, err := ours.conn.Call(ctx, rsocket.Payload{Data: []byte(wordHang)})
			result <- err
		}()
		take(t, "a request that hangs", answers.seen().hung)
		cancel()
		if err := take(t, "the request", result); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		wantReleased(t, answers, 1)

		s := ours.open(wordHang)
		take(t, "a channel that hangs", answers.seen().hung)
		s.(*ourStream).ch.Cancel()
		if _, err := s.recv(); !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		s.complete()
		wantReleased(t, answers, 1)

		if _, err := ours.call(message{"", "still there?"}); err != nil {
			t.Error(err)
		}
		eventually(t, "nothing is under way", func() bool { return ours.conn.InFlight() == 0 })
	})
}
