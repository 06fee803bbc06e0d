package bus_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/logged"
)

// open opens a bus until the test ends.
func open(t testing.TB, url string) *bus.Bus {
	t.Helper()
	b, _ := openLogged(t, url)
	return b
}

func openLogged(t testing.TB, url string) (*bus.Bus, *logged.Log) {
	t.Helper()
	var log logged.Log
	b, err := bus.Open(bus.Config{URL: url, Log: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if t.Failed() {
			t.Logf("bus at %q logged:\n%s", url, log.String())
		}
	})
	return b, &log
}

// ears are a subscriber that keeps what it hears.
type ears struct {
	*bus.Subscription
	t        testing.TB
	messages chan string // "subject data"
	gaps     chan struct{}
}

func subscribe(t testing.TB, b *bus.Bus, subject string) *ears {
	t.Helper()
	e := &ears{t: t, messages: make(chan string, 10_000), gaps: make(chan struct{}, 10_000)}
	var err error
	e.Subscription, err = b.Subscribe(subject,
		func(subject string, data []byte) { e.messages <- fmt.Sprintf("%s %s", subject, data) },
		func() { e.gaps <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// hear subscribes and waits until that is in force.
func hear(t testing.TB, b *bus.Bus, subject string) *ears {
	t.Helper()
	e := subscribe(t, b, subject)
	e.wantGap()
	return e
}

func (e *ears) wantGap() {
	e.t.Helper()
	await.Value(e.t, "a gap is told", e.gaps)
}

// want waits for the next messages.
func (e *ears) want(messages ...string) {
	e.t.Helper()
	for _, m := range messages {
		if got := await.Value(e.t, m, e.messages); got != m {
			e.t.Fatalf("heard %q, expected %q", got, m)
		}
	}
}

// wantNothing is for after something else was heard that came later.
func (e *ears) wantNothing() {
	e.t.Helper()
	if n := len(e.messages); n > 0 {
		e.t.Errorf("heard %d messages too many, the first is %q", n, <-e.messages)
	}
	if n := len(e.gaps); n > 0 {
		e.t.Errorf("%d gaps too many were told", n)
	}
}

func publish(t testing.TB, b *bus.Bus, subject, data string) {
	t.Helper()
	if err := b.Publish(await.Context(t), subject, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func awaitConnected(t testing.TB, b *bus.Bus, connected bool) {
	t.Helper()
	await.Until(t, fmt.Sprintf("connected is %v", connected), func() bool { return b.Status().Connected == connected })
}

// wantCutOff wants Publish to say at once that there is no connection.
func wantCutOff(t testing.TB, b *bus.Bus) {
	t.Helper()
	if err := b.Publish(await.Context(t), "a", nil); !errors.Is(err, bus.ErrNotConnected) {
		t.Errorf("Publish while cut off: %v", err)
	}
}
