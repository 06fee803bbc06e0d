package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// length is an adapter that tells how long the body is.
var length = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, n, err)
})

func TestABodyThatIsTooLarge(t *testing.T) {
	for most, cfg := range map[int]gateway.Config{64 << 10: {}, 10: {MaxBody: 10}} {
		g := start(t, cfg)
		g.offer("tv@2.0.0", length)
		post := func(n int) answer {
			return g.must(g.request(await.Context(t), "POST", "/tv/upload", strings.NewReader(strings.Repeat("x", n))))
		}
		post(most).want(t, "what just fits", 200, fmt.Sprint(most, " <nil>"))
		post(most+1).want(t, "one byte more", 413, fmt.Sprintf(`{"error":{"code":"too_large","message":"the request's body is larger than %d bytes"}}`, most))
	}
}

func TestAnAdapterThatDoesNotAnswerInTime(t *testing.T) {
	g := start(t, gateway.Config{Budget: 50 * time.Millisecond})
	door := make(chan struct{})
	g.offer("tv@2.0.0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-door }))
	g.want("/tv/home", 504, `{"error":{"code":"deadline_exceeded","message":"adapter tv@2.0.0 did not answer within 50ms"}}`)
	close(door)
}

func TestTheBudgetReachesTheAdapter(t *testing.T) {
	left := make(chan time.Duration, 1)
	tell := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			t.Error("no deadline")
		}
		left <- time.Until(deadline)
	})
	g := start(t, gateway.Config{Budget: time.Hour})
	g.offer("tv@2.0.0", tell)
	g.want("/tv/home", 200, "")
	if got := <-left; got > time.Hour || got < time.Hour/2 {
		t.Errorf("%v are left of an hour", got)
	}
}

func TestALineThatIsLostInMidRequest(t *testing.T) {
	g, waiting := start(t, gateway.Config{}), newGate()
	tv := g.offer("tv@2.0.0", waiting)
	done := g.later("/tv/home")
	await.Value(t, "the request", waiting.entered)
	_ = tv.Shutdown(ended())
	got := await.Value(t, "the answer", done)
	got.want(t, "/tv/home", 503, `{"error":{"code":"unavailable","message":"the line to adapter tv@2.0.0 was lost"}}`)
	if got.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
}

func TestADeviceThatGoesAwayCancels(t *testing.T) {
	g, waiting := start(t, gateway.Config{}), newGate()
	g.offer("tv@2.0.0", waiting)
	ctx, cancel := context.WithCancel(context.Background())
	done, r := make(chan answer, 1), g.request(ctx, "GET", "/tv/home", nil)
	go func() { done <- g.send(r) }()
	await.Value(t, "the request", waiting.entered)
	cancel()
	if err := await.Value(t, "the adapter's context to end", waiting.gone); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	<-done
	if line := g.requests(1)[0]; line["status"] != 499.0 || line["code"] != "canceled" {
		t.Errorf("the log says %v", line)
	}
}

func TestWhatTheMintSaysDecidesTheStatus(t *testing.T) {
	for what, tc := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"not signed in": {protocol.Errorf(protocol.Unauthenticated, "sign in"), 401, `{"error":{"code":"unauthenticated","message":"sign in"}}`},
		"not allowed":   {fmt.Errorf("mint: %w", protocol.Errorf(protocol.Forbidden, "not here")), 403, `{"error":{"code":"forbidden","message":"not here"}}`},
		"overloaded":    {protocol.Errorf(protocol.Overloaded, "later"), 503, `{"error":{"code":"overloaded","message":"later"}}`},
		"any error":     {errors.New("broken"), 500, `{"error":{"code":"internal","message":"broken"}}`},
	} {
		t.Run(what, func(t *testing.T) {
			g := start(t, gateway.Config{Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
				return passport.Passport{}, tc.err
			}})
			g.offer("tv@2.0.0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the adapter was asked") }))
			g.want("/tv/home", tc.status, tc.body)
		})
	}
}

func TestAPassportThatCanNotBeSealedIsAFault(t *testing.T) {
	g := start(t, gateway.Config{Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
		return passport.Passport{Customer: strings.Repeat("x", 256)}, nil
	}}).telling("tv@2.0.0")
	g.want("/tv/home", 500, `{"error":{"code":"internal","message":"passport: …`)
}

func TestARequestMovesToAnotherAdapterOfTheRange(t *testing.T) {
	for method, status := range map[string]int{"GET": 200, "POST": 503} {
		t.Run(method, func(t *testing.T) {
			g, first, second := start(t, gateway.Config{}), newGate(), newGate()
			tv := map[string]interface{ Shutdown(context.Context) error }{
				"first":  g.offer("tv@2.0.0", first.named("first")),
				"second": g.offer("tv@2.0.0", second.named("second")),
			}
			done := make(chan answer, 1)
			r := g.request(context.Background(), method, "/tv/home", strings.NewReader("body"))
			go func() { done <- g.send(r) }()
			var has string
			var other *gate
			select {
			case has = <-first.entered:
				other = second
			case has = <-second.entered:
				other = first
			case <-await.Context(t).Done():
				t.Fatal("no adapter was asked")
			}
			close(other.door)
			_ = tv[has].Shutdown(ended())
			if got := await.Value(t, "the answer", done); got.status != status {
				t.Errorf("got %d %s, want %d", got.status, got.body, status)
			}
		})
	}
}
