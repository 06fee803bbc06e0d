package invalidation_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/internal/invalidation"
)

// slow caches take their time to drop something.
type slow struct{ *caches }

func (s slow) Invalidate(i warm.Invalidation) int {
	time.Sleep(100 * time.Millisecond)
	return s.caches.Invalidate(i)
}

// An edge vouches for what it holds only when it has dropped all that anybody had
// said before.
func TestAnEdgeVouchesForWhatItHolds(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	proxy := cut.New(t, "")
	c := slow{&caches{}}
	l, err := invalidation.Start(open(t, proxy.Before(t, host.Status().URL)), c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	other, atOther := link(t, host)
	for range 3 {
		if err := l.Ready(await.Context(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Tell(t.Context(), film17); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Vouch(t.Context()); err != nil || c.count(film17.String()) != 3 {
		t.Errorf("%v, %d of 3 were dropped", err, c.count(film17.String()))
	}
	proxy.Freeze() // it does not know yet that it hears nothing any more
	if _, err := other.Tell(t.Context(), film17); err != nil {
		t.Fatal(err)
	}
	if err := l.Vouch(t.Context()); err == nil {
		t.Error("it vouches for what it can't know")
	}
	await.Until(t, "the bus to be back", func() bool { return l.Vouch(t.Context()) == nil })
	if n := c.count("everything"); n != 2 {
		t.Errorf("it vouches, and has dropped everything %d times", n)
	}
	if n := atOther.count("everything"); n != 1 {
		t.Errorf("another edge has dropped everything %d times", n)
	}
}
