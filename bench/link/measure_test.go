package link_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"warmline.dev/bench/link"
	"warmline.dev/internal/await"
)

func TestMeasureTellsWhatTheLinkAdds(t *testing.T) {
	const oneWay = 2 * time.Millisecond
	a, err := link.Measure(await.Context(t), oneWay, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	// No round trip takes less than the link was asked for.
	if a.RTT != 4 || a.Trips < 1 || a.Direct <= 0 || a.P50+a.Direct < 0 || a.P99 < a.P50 {
		t.Errorf("%+v", a)
	}
}

func TestAddedForPeople(t *testing.T) {
	for want, a := range map[string]link.Added{
		"the link adds 1 ms +23 µs (p99 +80 µs)":   {RTT: 1, P50: 23.4, P99: 80},
		"the link adds 0.5 ms +0 µs (p99 +100 µs)": {RTT: 0.5, P50: 0.1, P99: 99.9},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestMeasureEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := link.Measure(ctx, time.Millisecond, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestStartIsALinkToEachTarget(t *testing.T) {
	targets := []*target{newTarget(t), newTarget(t)}
	p, err := link.Start(t.Context(), short, targets[0].l.Addr().String(), targets[1].l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for i, tg := range targets {
		near := dial(t, p.Addresses[i])
		far := tg.accept()
		write(t, near, "hello")
		wantRead(t, far, "hello")
	}
	for _, want := range []int64{2, 0} { // pieces since it was last asked
		if late, err := p.Late(); err != nil || late.Pieces != want || late.P50 < 0 || late.P99 < late.P50 || want > 0 && late.P50 == 0 {
			t.Errorf("%+v, %v; want %d pieces", late, err, want)
		}
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestStartTellsWhatWasWrong(t *testing.T) {
	if _, err := link.Start(t.Context(), 0, "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "link: exit status 1: 0s one way: expected more than 0") {
		t.Error(err)
	}
}
