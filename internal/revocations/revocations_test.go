package revocations_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/revocations"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Open(bus.Config{URL: "embedded"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// What an account source tells puts customer and session in question at a gateway, and
// nobody else; what is no event does no harm.
func TestEventsReachAGateway(t *testing.T) {
	teller, set := tellerAndSet(t)
	type event struct {
		Customer string `json:"customer,omitempty"`
		Session  string `json:"session,omitempty"`
		At       int64  `json:"at"`
	}
	before, at := time.Now().Add(-time.Hour), time.Now().UnixMilli()
	if err := teller.Tell("no event"); err == nil {
		t.Error("a text was taken for an event")
	}
	for _, e := range []any{event{}, event{At: at}, event{Customer: "ann", At: at}, event{Customer: "bob", Session: "s-1", At: at}, event{Session: "s-2", At: at}} {
		if err := teller.Tell(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"ann", "bob", "s-1", "s-2"} {
		await.Until(t, id+" to be in question", func() bool { return set.Revoked(id, before) })
	}
	for _, id := range []string{"", "carol", "s-3"} {
		if set.Revoked(id, before) {
			t.Errorf("%q is in question", id)
		}
	}
	if set.Revoked("ann", time.Now().Add(time.Minute)) {
		t.Error("who signed in since is in question")
	}
}

// tellerAndSet are an account source and a gateway, with a publisher between them.
func tellerAndSet(t *testing.T) (*revocations.Teller, *revocations.Set) {
	t.Helper()
	b := open(t)
	keys := publish(t, b)
	set, err := revocations.Follow(b, revocation.SetConfig{Keys: keys}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	await.Until(t, "the set to be complete", set.Complete)
	return newTeller(t, b), set
}

// publish runs a publisher, with keys that it returns.
func publish(t *testing.T, b *bus.Bus) []passport.Key {
	t.Helper()
	keys := []passport.Key{passport.NewKey("r1")}
	p, err := revocations.Publish(b, keys, revocation.WindowConfig{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return keys
}

func newTeller(t *testing.T, b *bus.Bus) *revocations.Teller {
	t.Helper()
	teller, err := revocations.NewTeller(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(teller.Close)
	return teller
}

// The bus keeps nothing: what nobody has taken is told again, until a publisher has,
// and not any more then.
func TestAnEventWaitsForAPublisher(t *testing.T) {
	b, keys := open(t), []passport.Key{passport.NewKey("r1")}
	told := make(chan struct{}, 1000)
	sub, err := b.Subscribe(revocations.AccountSubject, func(string, []byte) { told <- struct{}{} }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	teller := newTeller(t, b)
	if err := teller.Tell(map[string]any{"customer": "ann", "at": time.Now().UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		await.Value(t, "the event to be told again", told)
	}
	set, err := revocations.Follow(b, revocation.SetConfig{Keys: keys}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	p, err := revocations.Publish(b, keys, revocation.WindowConfig{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	await.Until(t, "ann to be in question", func() bool { return set.Revoked("ann", time.Now().Add(-time.Hour)) })
	await.Until(t, "it to be told no more", func() bool {
		for len(told) > 0 {
			<-told
		}
		time.Sleep(time.Second)
		return len(told) == 0
	})
}

// However many events are taken together, and whatever their ids are: what is said of them
// fits into messages.
func TestAllThatIsTakenIsSaid(t *testing.T) {
	b := open(t)
	publish(t, b)
	const many = 900
	said := make(chan string, many)
	sub, err := b.Subscribe(revocations.TakenSubject, func(_ string, data []byte) {
		var taken struct {
			IDs []string `json:"ids"`
		}
		if err := json.Unmarshal(data, &taken); err != nil {
			t.Error(err)
		}
		for _, id := range taken.IDs {
			said <- id
		}
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	var wg sync.WaitGroup
	for n := range many {
		wg.Go(func() { // all at once: so they are taken together
			id := fmt.Sprintf("%s%03d", strings.Repeat("<", 125), n)
			if err := b.Publish(t.Context(), revocations.AccountSubject, fmt.Appendf(nil, `{"id":%q,"customer":"ann"}`, id)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all := map[string]bool{}
	for len(all) < many {
		all[await.Value(t, "all to be said to be taken", said)] = true
	}
}

// An event of a session that does not say when is of now, as one of a customer is, and
// what is wrong with its session does not save its customer.
func TestAnEventIsTakenAsFarAsItGoes(t *testing.T) {
	teller, set := tellerAndSet(t)
	before := time.Now().Add(-time.Hour)
	for _, e := range []map[string]string{{"session": "s-1"}, {"customer": "ann", "session": strings.Repeat("s", 300)}, {"customer": "last"}} {
		if err := teller.Tell(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"last", "s-1", "ann"} {
		await.Until(t, id+" to be in question", func() bool { return set.Revoked(id, before) })
	}
}

func TestBadConfig(t *testing.T) {
	b := open(t)
	if _, err := revocations.Follow(b, revocation.SetConfig{}, zerolog.Nop()); err == nil {
		t.Error("a set without keys was made")
	}
	if _, err := revocations.Publish(b, nil, revocation.WindowConfig{}, zerolog.Nop()); err == nil {
		t.Error("a publisher without keys was made")
	}
	if _, err := revocations.Publish(b, nil, revocation.WindowConfig{Path: t.TempDir()}, zerolog.Nop()); err == nil {
		t.Error("a folder was taken for a file")
	}
}
