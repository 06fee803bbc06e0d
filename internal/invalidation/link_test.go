package invalidation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/cut"
	"warmline.dev/internal/invalidation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// caches note what they are told.
type caches struct {
	mu   sync.Mutex
	told []string
}

func (c *caches) Invalidate(i warm.Invalidation) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, i.String())
	return 1
}

func (c *caches) DropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, "everything")
}

func (c *caches) count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, t := range c.told {
		if t == what {
			n++
		}
	}
	return n
}

func (c *caches) hears(t *testing.T, what string, times int) {
	t.Helper()
	await.Until(t, fmt.Sprintf("%s to be dropped %d times", what, times), func() bool { return c.count(what) == times })
}

func open(t *testing.T, url string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(bus.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func link(t *testing.T, b *bus.Bus) (*invalidation.Link, *caches) {
	t.Helper()
	c := &caches{}
	l, err := invalidation.Start(b, c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, c
}

var film17 = warm.Invalidation{Source: "films", Key: "17"}

func TestEveryEdgeHears(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	a, atA := link(t, host)
	b, atB := link(t, open(t, host.Status().URL))
	for _, l := range []*invalidation.Link{a, b} {
		if err := l.Ready(await.Context(t)); err != nil {
			t.Fatal(err)
		}
	}
	if dropped, err := a.Tell(t.Context(), film17); dropped != 1 || err != nil {
		t.Errorf("%d, %v", dropped, err)
	}
	atB.hears(t, `"17" of films`, 1)
	if _, err := b.Tell(t.Context(), warm.Invalidation{Source: "films", All: true}); err != nil {
		t.Error(err)
	}
	atA.hears(t, "all of films", 1)
	if n := atA.count(`"17" of films`); n != 1 {
		t.Errorf("who tells it drops it %d times", n)
	}
	if _, err := a.Tell(t.Context(), warm.Invalidation{}); err == nil {
		t.Error("nothing at all was taken")
	}
}

// A mid-tier service can tell by itself.
func TestAnybodyOnTheBusCanTell(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	l, at := link(t, host)
	if err := l.Ready(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	other := open(t, host.Status().URL)
	say := func(text string) {
		t.Helper()
		await.Until(t, "the bus", func() bool { return other.Publish(t.Context(), invalidation.Subject, []byte(text)) == nil })
	}
	say(`{"source":"films","prefix":"paul/"}`)
	at.hears(t, `"paul/"* of films`, 1)
	for i, garbage := range []string{"", "17", `{"source":"films"}`, strings.Repeat("x", 5000)} {
		say(garbage)
		at.hears(t, "everything", i+2) // and once at the start
	}
}

// An edge that was cut off drops what it can't vouch for, and tells what it had to
// tell meanwhile.
func TestCutOffAndBack(t *testing.T) {
	host, err := bus.Open(bus.Config{URL: "embedded://127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	at := host.Status().URL
	a, atA := link(t, open(t, at))
	b, atB := link(t, open(t, at))
	for _, l := range []*invalidation.Link{a, b} {
		if err := l.Ready(await.Context(t)); err != nil {
			t.Fatal(err)
		}
	}
	atA.hears(t, "everything", 1)
	host.Close()
	await.Until(t, "the loss", func() bool {
		_, err := a.Tell(t.Context(), film17)
		return errors.Is(err, invalidation.ErrNotTold)
	})
	if atB.count("everything") != 1 {
		t.Error("dropped while the bus is away: what is known last is better than nothing")
	}
	open(t, strings.Replace(at, "nats://", "embedded://", 1))
	atA.hears(t, "everything", 2)
	atB.hears(t, "everything", 2)
}

// Others, who were not cut off, hear what an edge could not tell when it is back.
func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	proxy := cut.New(t, "")
	a, _ := link(t, open(t, proxy.Before(t, host.Status().URL)))
	b, atB := link(t, host)
	for _, l := range []*invalidation.Link{a, b} {
		if err := l.Ready(await.Context(t)); err != nil {
			t.Fatal(err)
		}
	}
	before := proxy.Lead("")
	proxy.Cut()
	for range 3 {
		if _, err := a.Tell(t.Context(), film17); !errors.Is(err, invalidation.ErrNotTold) {
			t.Fatal(err)
		}
	}
	proxy.Lead(before)
	atB.hears(t, `"17" of films`, 1) // once, however often it was said
	await.Until(t, "who told it knows that it is told", func() bool { return len(a.Untold()) == 0 })
	if atB.count("everything") != 1 {
		t.Error(atB.told)
	}
}

func TestWhatWaitsForTheBusIsBounded(t *testing.T) {
	l, at := link(t, open(t, "nats://127.0.0.1:1"))
	for i := range 3000 {
		if _, err := l.Tell(t.Context(), warm.Invalidation{Source: []string{"films", "ratings"}[i%2], Key: fmt.Sprint(i)}); !errors.Is(err, invalidation.ErrNotTold) {
			t.Fatal(err)
		}
	}
	if at.count("everything") != 0 || len(at.told) != 3000 {
		t.Errorf("%d dropped here", len(at.told))
	}
	waiting := l.Untold()
	all := []string{"all of films", "all of ratings"}
	for _, i := range waiting {
		if n := slices.Index(all, i.String()); n >= 0 {
			all = slices.Delete(all, n, n+1)
		}
	}
	if len(waiting) > 1000 || len(all) != 0 {
		t.Errorf("%d wait, without %v", len(waiting), all)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Ready(ctx); err == nil {
		t.Error("ready without a bus")
	}
}
