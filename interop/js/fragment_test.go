package js

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

const (
	long    = 100_000
	longest = 16 << 20 // larger than a frame can be
)

// parts are payloads that fragments cut in different places.
var parts = map[string]struct{ metadata, data int }{
	"data":                   {0, long},
	"metadata":               {3000, 0},
	"metadata and data":      {3000, 5000},
	"metadata and some data": {3000, 5},
}

// fragmented runs a test with fragments of different sizes.
func fragmented(t *testing.T, test func(t *testing.T, fragment int)) {
	for _, fragment := range []int{64, 1024} {
		t.Run(fmt.Sprint(fragment), func(t *testing.T) { test(t, fragment) })
	}
}

func TestTheyPutOurFragmentsTogether(t *testing.T) {
	fragmented(t, func(t *testing.T, fragment int) {
		either(t, func(t *testing.T, l *library, theyDial bool) {
			p := weAsk(t, l, theyDial, terms{ours: rsocket.Config{Fragment: fragment}})
			for name, part := range parts {
				t.Run(name, func(t *testing.T) {
					request := rsocket.Payload{Data: pattern(part.data)}
					if part.metadata > 0 {
						request.Metadata = pattern(part.metadata)
					}
					reply, err := p.conn.Call(await.Context(t), request)
					if err != nil {
						t.Fatal(err)
					}
					if l.noMetadataOut {
						request.Metadata = nil
					}
					want(t, told(reply), told(request))
					if err := p.conn.FireAndForget(t.Context(), rsocket.Payload{Data: request.Data}); err != nil {
						t.Fatal(err)
					}
					want(t, p.saw("fnf").Data, short(request.Data))
				})
			}
		})
	})
}

func TestTheyPutOurFragmentedItemsTogether(t *testing.T) {
	fragmented(t, func(t *testing.T, fragment int) {
		either(t, func(t *testing.T, l *library, theyDial bool) {
			p := weAsk(t, l, theyDial, terms{ours: rsocket.Config{Fragment: fragment}})
			items := []message{{Data: string(pattern(long))}, {Data: "short"}, {Data: string(pattern(5000))}}
			ch := p.open(items[0])
			sent := send(ch, items[1:]...)
			want(t, p.rest(ch), []message{{Data: digest(pattern(long))}, {Data: "short"}, {Data: digest(pattern(5000))}})
			want(t, await.Value(t, "all is sent", sent), nil)
			p.answers()
		})
	})
}

func TestTheyPutOurFragmentedAnswersTogether(t *testing.T) {
	give, given := message{Data: fmt.Sprint("give ", long)}, message{Data: digest(pattern(long))}
	fragmented(t, func(t *testing.T, fragment int) {
		either(t, func(t *testing.T, l *library, theyDial bool) {
			how := terms{ours: rsocket.Config{Fragment: fragment}}
			got := theyAsk(t, l, theyDial, how, "responses", options{"requests": wire(give, message{Data: "short"}, give)}).result()
			want(t, got.Replies, replies(given, message{Data: "short"}, given))
			got = theyAsk(t, l, theyDial, how, "stream", options{"request": wire(give)[0], "credit": []int{3}}).result()
			want(t, got, result{Items: []message{given}, End: "complete"})
		})
	})
}

// Only their client fragments, and only what it asks.
func TestWePutTheirFragmentsTogether(t *testing.T) {
	fragmented(t, func(t *testing.T, fragment int) {
		how := terms{theirs: options{"fragment": fragment}}
		asked := []options{
			{"give": long}, {"give": 5000, "label": 3000}, {"data": "some", "label": 3000}, {"data": "short"},
		}
		given := []message{
			{digest(pattern(long)), ""},
			{digest(pattern(5000)), digest(pattern(3000))},
			{"some", digest(pattern(3000))},
			{"short", ""},
		}
		t.Run("requests", func(t *testing.T) {
			got := dialled(t, alpha3, how, "responses", options{"requests": asked}).result()
			want(t, got.Replies, replies(given...))
		})
		t.Run("fire-and-forget", func(t *testing.T) {
			p := dialled(t, alpha3, how, "fnf", options{"requests": asked})
			var got []message
			for range given {
				got = append(got, await.Value(t, "a request", p.forgot))
			}
			want(t, sorted(got), sorted(given))
		})
		t.Run("channel items", func(t *testing.T) {
			got := dialled(t, alpha3, how, "channel", options{"items": asked, "window": window}).result()
			want(t, got.Items, given)
		})
	})
}

var giant = pattern(longest)

func TestTheyTakeAGiant(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		// Frames of 16 MiB take either library a second each: it copies what it has with each segment.
		p := weAsk(t, l, theyDial, terms{ours: rsocket.Config{Fragment: 1 << 20}})
		reply, err := p.conn.Call(await.Context(t), rsocket.Payload{Metadata: []byte("digest"), Data: giant})
		if err != nil || string(reply.Data) != digest(giant) {
			t.Errorf("got %q, %v, want %q", told(reply), err, digest(giant))
		}
	})
}

func TestTheyTakeAGiantAnswer(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{ours: rsocket.Config{Fragment: 1 << 20}}, "responses",
			options{"requests": wire(message{Data: fmt.Sprint("give ", longest)})})
		want(t, p.result().Replies, replies(message{Data: digest(giant)}))
	})
}

func TestWeTakeAGiant(t *testing.T) {
	p := dialled(t, alpha3, terms{theirs: options{"fragment": 1 << 20}}, "responses",
		options{"requests": []options{{"give": longest, "metadata": "digest"}}})
	want(t, p.result().Replies, replies(message{Data: digest(giant)}))
}

// Neither library can answer with more than a frame holds.
func TestTheyCannotAnswerWithAGiant(t *testing.T) {
	give := message{Data: fmt.Sprint("give ", longest)}
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		if l == v0 { // closes the connection
			if _, err := p.conn.Call(await.Context(t), give.payload()); !errors.Is(err, rsocket.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			p.closed()
			return
		}
		// throws, in vain, and never answers
		ctx, cancel := context.WithCancel(t.Context())
		outcome := make(chan error, 1)
		go func() {
			_, err := p.conn.Call(ctx, give.payload())
			outcome <- err
		}()
		p.program.hear(t, "", "the error that is dropped", func(l line) bool { return strings.Contains(l.Warn, "out of range") })
		cancel()
		if err := await.Value(t, "the outcome", outcome); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		p.answers()
	})
}
