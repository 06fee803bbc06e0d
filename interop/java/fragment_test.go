package java

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// wantEverywhere sends a payload with every model, and wants it back, or there.
func wantEverywhere(t *testing.T, asks, answers end, s script, came string) {
	t.Helper()
	want(t, asks, "response", s, came+": complete")
	want(t, asks, "stream", s, came+": complete")
	want(t, asks, "channel", s, came+": complete; sending: complete")
	before := len(answers.seen(t, "forgotten", 0))
	run(t, asks, "forget", s)
	if got := answers.seen(t, "forgotten", before+1)[before].Message.String(); got != came {
		t.Errorf("forget %s: got %s, want %s", s, got, came)
	}
}

// Payloads cut in many pieces by either end, in sizes that differ.
func TestFragments(t *testing.T) {
	data, dataCame := large(100_000)
	metadata, metadataCame := large(2_000)
	for _, size := range []struct{ ours, theirs int }{{64, 64}, {1024, 64}, {64, 1024}, {1000, 1001}} {
		t.Run(fmt.Sprintf("ours %d, theirs %d", size.ours, size.theirs), func(t *testing.T) {
			l := link{ours: rsocket.Config{Fragment: size.ours}, theirs: options{Fragment: size.theirs}}
			l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
				wantEverywhere(t, asks, answers, script{Data: data}, dataCame)
				wantEverywhere(t, asks, answers, script{Data: data, Metadata: &metadata}, dataCame+"+"+metadataCame)
				wantEverywhere(t, asks, answers, script{Metadata: &data}, "+"+dataCame)
				wantEverywhere(t, asks, answers, script{Data: "short", Metadata: &data}, "short+"+dataCame)
			})
		})
	}
}

// A payload that no frame can hold, and that takes several.
func TestHuge(t *testing.T) {
	data, came := large(16 << 20)
	l := link{ours: rsocket.Config{Fragment: 1 << 20}, theirs: options{Fragment: 1 << 20}}
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		wantEverywhere(t, asks, answers, script{Data: data}, came)
	})
}

// The same with fragments as long as our engine makes them by default.
//
// A frame of 16,777,213 bytes or more, which RSocket allows, is lost on
// rsocket-java's TCP transport without a word: it counts the length prefix too.
func TestHugeByDefault(t *testing.T) {
	data, came := large(16 << 20)
	link{theirs: options{Fragment: 1 << 20}}.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		wantEverywhere(t, asks, answers, script{Data: data}, came)
	})
}

// The longest frame that rsocket-java sends and takes on TCP.
func TestLongestFrame(t *testing.T) {
	const header = 6
	data, came := large(longestFrame - header)
	l := link{ours: rsocket.Config{Fragment: longestFrame}}
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		want(t, asks, "response", script{Data: data}, came+": complete")
	})
}

const longestFrame = 16_777_212

// Channels beside each other, every item in pieces and little credit: an item
// costs one, however many its pieces, and pieces of different items don't mix.
func TestFragmentsMixed(t *testing.T) {
	const channels, sent = 20, 20
	word := strings.Repeat("so much to say. ", 30)
	l := link{ours: rsocket.Config{Fragment: 64, Window: 2}, theirs: options{Fragment: 64}}
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		s := script{Data: word, Metadata: &word, Send: sent, Times: channels}
		for i, a := range run(t, asks, "channel", s).All {
			first := fmt.Sprint(word, " ", i)
			all := []string{first + "+" + first}
			for n := range sent {
				item := fmt.Sprint(first, " ", n+1)
				all = append(all, item+"+"+item)
			}
			if want := strings.Join(all, ", ") + ": complete; sending: complete"; a.String() != want {
				t.Errorf("channel %d: got %s", i, a)
			}
		}
	})
}

// A payload larger than our end takes ends its request, and nothing else.
func TestTooLargeForUs(t *testing.T) {
	data, _ := large(60_000)
	l := link{ours: rsocket.Config{MaxPayload: 50_000}, theirs: options{Fragment: 1024}}
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		for _, scenario := range []string{"response", "stream", "channel"} {
			if a := run(t, theirs, scenario, script{Data: data}); a.End != "error" || a.Code != uint32(frame.CodeInvalid) {
				t.Errorf("%s: %s", scenario, a)
			}
		}
		run(t, theirs, "forget", script{Data: data})
		if a := run(t, ours, "response", script{Data: data}); !strings.Contains(a.Text, rsocket.ErrTooLarge.Error()) {
			t.Errorf("sent by us: %s", a)
		}
		want(t, theirs, "response", script{Data: "still there?"}, "still there?: complete")
	})
}

// rsocket-java answers CANCELED; as a requester it sends CANCEL.
func TestTooLargeForThem(t *testing.T) {
	data, _ := large(60_000)
	l := link{
		ours:    rsocket.Config{Fragment: 1000},
		theirs:  options{MaxFrame: 1024, Fragment: 1000, MaxPayload: 50_000},
		handler: gives(60_000),
	}
	const what = "Reassembled payload size went out of allowed 50000 bytes"
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		for _, scenario := range []string{"response", "stream", "channel"} {
			a := run(t, ours, scenario, script{Data: data})
			if a.Code != uint32(frame.CodeCanceled) || !strings.HasSuffix(a.Text, what) {
				t.Errorf("our %s: %s", scenario, a)
			}
			if a := run(t, theirs, scenario, script{Data: "give", Then: "never"}); !strings.HasSuffix(a.Text, what) {
				t.Errorf("their %s: %s", scenario, a)
			}
		}
		run(t, ours, "forget", script{Data: data})
		ours.seen(t, "released", 2) // stream and channel; a response has left
		want(t, ours, "response", script{Data: "still there?"}, "still there?: complete")
	})
}

// gives is a handler that answers so many bytes, and then waits to be told.
func gives(n int) func(*witness) rsocket.Handler {
	return func(w *witness) rsocket.Handler {
		give := func(ctx context.Context, out rsocket.Channel) error {
			if err := out.Send(ctx, rsocket.Payload{Data: pattern(n)}); err != nil {
				return err
			}
			<-ctx.Done()
			w.saw("released")
			return ctx.Err()
		}
		return rsocket.Handler{
			Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
				return rsocket.Payload{Data: pattern(n)}, nil
			},
			Stream:  func(ctx context.Context, _ rsocket.Payload, out rsocket.Channel) error { return give(ctx, out) },
			Channel: give,
		}
	}
}
