package interop

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// listed is what a request-stream for a number gives: as many items.
func listed(request string) []string {
	n, err := strconv.Atoi(request)
	if err != nil {
		return []string{"no number: " + request}
	}
	return numbered(n)
}

func TestStream(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		for _, n := range []int{1, 2, window, window + 1, many} {
			wantAll(t, asks.list(fmt.Sprint(n)), numbered(n))
		}
	})
}

func TestStreamIsRefused(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		_, err := asks.list(wordRefuse).recv()
		if got := told(err); got != refusal {
			t.Errorf("got %v (%v), want %v", got, err, refusal)
		}
	})
}

// What nobody takes stops after the credit that was given.
func TestStreamIsHeldBack(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		s := asks.list(fmt.Sprint(many))
		eventually(t, "the window is full", func() bool { return answers.seen().replied.Load() >= window })
		if n := answers.seen().replied.Load(); n > window {
			t.Errorf("%d items were sent on a credit of %d", n, window)
		}
		wantAll(t, s, numbered(many))
	})
}

func TestOurStreamIsCancelled(t *testing.T) {
	weAsk(t, func(t *testing.T, ours *ourEnd, answers end) {
		s := ours.list(wordHang).(*ourStream)
		take(t, "the request", answers.seen().hung)
		s.ch.Cancel()
		take(t, "the end of it", answers.seen().released)
	})
}

func TestFireAndForget(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		for i := range 20 {
			want := message{"about it", fmt.Sprint("item ", i)}
			asks.forget(want)
			if got := take(t, "a fire-and-forget", answers.seen().forgot); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

// Our fragments, which rsocket-go puts together. Its own are not sound: it marks
// the first fragment of an answer as the last.
func TestOurFragments(t *testing.T) {
	whole := ourConfig
	ourConfig.Fragment = 1000
	t.Cleanup(func() { ourConfig = whole })
	large := strings.Repeat("0123456789abcdef", 100_000/16)
	each(t, func(t *testing.T, asks, answers end) {
		for _, m := range []message{{"", large}, {large, large}, {large, ""}} {
			if reply, err := asks.call(m); err != nil || reply != m {
				t.Errorf("%d+%d bytes came back as %d+%d, %v", len(m.metadata), len(m.data), len(reply.metadata), len(reply.data), err)
			}
		}
	})
}

// More than a frame holds. It goes there only: what would come back is more than
// rsocket-go can send.
func TestSixteenMebibytes(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<20)
	weAsk(t, func(t *testing.T, ours *ourEnd, answers end) {
		ours.forget(message{"about it", large})
		if got := take(t, "a fire-and-forget", answers.seen().forgot); got.data != large || got.metadata != "about it" {
			t.Errorf("%d+%d bytes arrived", len(got.metadata), len(got.data))
		}
	})
}
