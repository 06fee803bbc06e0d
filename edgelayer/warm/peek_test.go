package warm_test

import (
	"fmt"
	"testing"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// peek says what can be had without a wait.
func (b *bench) peek(key string) string {
	b.t.Helper()
	start := time.Now()
	a, ok := b.c.Peek(b.t.Context(), key)
	if time.Since(start) != 0 {
		b.t.Errorf("a look at %s took %v", key, time.Since(start))
	}
	switch {
	case !ok:
		return "not there"
	case a.Err != nil:
		return protocol.AsError(a.Err).Code.String()
	}
	return a.Value
}

func (b *bench) peekAll(keys ...string) string {
	answers, ok := b.c.PeekAll(b.t.Context(), keys)
	if !ok {
		return "not there"
	}
	said := ""
	for _, a := range answers {
		if a.Err != nil {
			a.Value = protocol.AsError(a.Err).Code.String()
		}
		said += a.Value + " "
	}
	return said
}

func (b *bench) peeks(key, want string) {
	b.t.Helper()
	if got := b.peek(key); got != want {
		b.t.Errorf("a look at %s: %s, want %s", key, got, want)
	}
}

// counted says what the cache has counted since it was made.
func (b *bench) counted(want string) {
	b.t.Helper()
	s := b.c.Stats()
	if got := fmt.Sprintf("%d hits, %d misses, %d stale", s.Hits, s.Misses, s.Stale); got != want {
		b.t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatIsThereIsHadWithoutAWait(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: 30 * time.Second, Missing: 10 * time.Second}, func(b *bench) {
		t := b.t
		b.slow(time.Second)
		b.peeks("1", "not there")
		b.want() // who looks loads nothing
		b.counted("0 hits, 0 misses, 0 stale")
		b.get("1", "one")
		b.fails("9", protocol.NotFound)
		b.want("1", "9")
		b.counted("0 hits, 2 misses, 0 stale")
		b.peeks("1", "one")
		b.peeks("9", "not_found")
		b.counted("2 hits, 2 misses, 0 stale")
		if _, ok := b.c.Peek(warm.WithFresh(t.Context()), "1"); ok {
			t.Error("who wants it fresh was given what is there")
		}
		if _, ok := b.c.PeekAll(warm.WithFresh(t.Context()), []string{"1"}); ok {
			t.Error("who wants them fresh was given what is there")
		}
		b.counted("2 hits, 2 misses, 0 stale")

		b.change("1", "uno")
		time.Sleep(70 * time.Second) // it is stale now, and loaded anew behind the answer
		b.peeks("1", "one")
		b.counted("3 hits, 2 misses, 1 stale")
		b.want("1")
		time.Sleep(2 * time.Second)
		b.peeks("1", "uno")
		b.want()

		time.Sleep(100 * time.Second) // too old to be given without a try
		b.peeks("1", "not there")
		b.counted("4 hits, 2 misses, 1 stale")
		b.want()
		b.get("1", "uno")
		b.counted("4 hits, 3 misses, 1 stale")
		b.want("1")
	})
}

func TestManyAreHadWithoutAWaitOrNone(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: 30 * time.Second}, func(b *bench) {
		wantValues(b.t, values(b.t, b.c, "1", "2"), map[string]string{"1": "one", "2": "two"})
		b.want("1", "2")
		b.counted("0 hits, 2 misses, 0 stale")
		for keys, want := range map[[3]string]string{
			{"1", "2", "1"}: "one two one ",
			{"1", "2", "3"}: "not there",
			{"3", "2", "1"}: "not there",
		} {
			if got := b.peekAll(keys[:]...); got != want {
				b.t.Errorf("a look at %v: %s, want %s", keys, got, want)
			}
		}
		b.counted("3 hits, 2 misses, 0 stale")
		time.Sleep(70 * time.Second)
		if got := b.peekAll("1", "3"); got != "not there" {
			b.t.Error(got)
		}
		b.want("1") // it is loaded anew behind the look
		b.counted("3 hits, 2 misses, 0 stale")
		wantValues(b.t, values(b.t, b.c, "1", "3"), map[string]string{"1": "one", "3": "three"})
		b.counted("4 hits, 3 misses, 0 stale")
		if got := b.peekAll(); got != "" {
			b.t.Error(got)
		}
	})
}
