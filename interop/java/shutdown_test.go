package java

import (
	"context"
	"errors"
	"testing"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// Our end closes gracefully (CONNECTION_CLOSE) while requests are under way. What
// we asked is answered to its end, and then both ends are closed.
func TestShutdownDrainsOurs(t *testing.T) {
	const n = 50
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		stream := ours.start("stream", script{Data: "50 slowly"})
		channel := ours.start("channel", script{Data: "say", Send: n, Slowly: true})
		theirs.seen(t, "begun", 2)
		if err := within(t, "Shutdown", func() error { return ours.conn.Shutdown(context.Background()) }); err != nil {
			t.Error(err)
		}
		if got, want := stream.wait(t).String(), items("item", 0, n)+": complete"; got != want {
			t.Errorf("the stream: got %s\nwant %s", got, want)
		}
		if got, want := channel.wait(t).String(), "say, "+items("say", 1, n)+": complete; sending: complete"; got != want {
			t.Errorf("the channel: got %s\nwant %s", got, want)
		}
		ours.seen(t, "closed", 1)
		theirs.seen(t, "closed", 1)
	})
}

// What rsocket-java asked fails at once when our end closes gracefully: it takes
// CONNECTION_CLOSE for the end, and sends no CANCEL. Our handlers don't hear of
// it: a stream goes on being sent, to nobody; one that waits for the peer waits
// for as long as Shutdown lets it.
func TestShutdownFailsTheirs(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		waiting := hanging(t, theirs, ours)
		stream := theirs.start("stream", script{Data: "10 slowly"})
		ours.seen(t, "begun", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		shutdown := make(chan error, 1)
		go func() { shutdown <- ours.conn.Shutdown(ctx) }()
		for _, w := range append(waiting, stream) {
			if a := w.wait(t); a.Code != uint32(frame.CodeConnectionClose) {
				t.Errorf("their request: %s", a)
			}
		}
		if len(ours.of("released")) > 0 {
			t.Error("our handlers were told; then this is no longer so")
		}
		if err := within(t, "Shutdown", func() error { return <-shutdown }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown returned %v, want that its time was over", err)
		}
		if got := ours.sent(t); got != 10 {
			t.Errorf("%d items of the stream were sent, want all 10", got)
		}
		ours.seen(t, "released", len(waiting))
		theirs.seen(t, "closed", 1)
	})
}
