package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/load"
	"warmline.dev/bench/tier"
)

// fake is a client that notes what it is asked. Every third conversation ends after
// its first question.
type fake struct {
	contender.Client
	pages, held atomic.Int64
}

func (f *fake) Page(context.Context, []byte) (contender.Page, error) {
	f.pages.Add(1)
	return contender.Page{Items: slices.Repeat([]contender.Item{{Title: "Nosferatu"}}, tier.Limit)}, nil
}

func (f *fake) Hold(context.Context, []byte) (contender.Held, error) {
	return &fakeHeld{ends: f.held.Add(1)%3 == 0}, nil
}

type fakeHeld struct {
	asked int
	ends  bool
}

func (h *fakeHeld) Next(_ context.Context, n int) (int, error) {
	if h.asked++; h.ends && h.asked > 1 {
		return 0, errors.New("it is over")
	}
	return n + 1, nil
}

func opened(first contender.Client, dial func() (contender.Client, error)) *adapter {
	return &adapter{dial: dial, passports: [][]byte{nil}, clients: []contender.Client{first}}
}

func TestJobsTakeLinesInTurn(t *testing.T) {
	a := opened(&fake{}, func() (contender.Client, error) { return &fake{}, nil })
	for _, n := range []int{1, 3, 3} {
		if _, err := a.do(t.Context(), Task{Kind: Lines, N: n}); err != nil || len(a.clients) != n {
			t.Fatalf("%d lines, %v; want %d", len(a.clients), err, n)
		}
	}
	taken, err := a.do(t.Context(), Task{Kind: Page, Load: load.Config{Concurrency: 1, Duration: time.Millisecond, Timeout: time.Second}})
	if err != nil || taken.Complete() != nil {
		t.Fatalf("%+v, %v", taken, err)
	}
	var sum int64
	for i, c := range a.clients {
		pages := c.(*fake).pages.Load()
		if i > 0 {
			pages-- // that of its opening
		}
		if want := (taken.Done + int64(2-i)) / 3; pages != want {
			t.Errorf("line %d did %d of %d jobs, want %d", i+1, pages, taken.Done, want)
		}
		sum += pages
	}
	if sum != taken.Done {
		t.Errorf("%d of %d jobs", sum, taken.Done)
	}
}

func TestALineThatCannotBeHadIsNamed(t *testing.T) {
	a := opened(&fake{}, func() (contender.Client, error) { return nil, errors.New("too many open files") })
	_, err := a.do(t.Context(), Task{Kind: Lines, N: 2})
	if err == nil || err.Error() != "line 2 of 2: too many open files" {
		t.Error(err)
	}
}

// What is elsewhere is measured there.
type elsewhere struct{ fake }

func (*elsewhere) Usage() harness.Usage { return harness.Usage{Memory: 42} }

func TestAdaptersElsewhereAreProcessesSoTheyAreFew(t *testing.T) {
	a := opened(&elsewhere{}, func() (contender.Client, error) { return &elsewhere{}, nil })
	if taken, err := a.do(t.Context(), Task{Kind: Lines, N: 10}); err != nil || taken.Adapter.Memory != 420 {
		t.Errorf("%+v, %v", taken, err)
	}
	_, err := a.do(t.Context(), Task{Kind: Lines, N: 11})
	if err == nil || !strings.Contains(err.Error(), "11 lines: expected at most 10") {
		t.Error(err)
	}
}

func TestAConversationThatHasEndedIsFound(t *testing.T) {
	a := opened(&fake{}, nil)
	for _, n := range []int{2, 2} {
		for _, kind := range []string{Hold, Again} {
			if _, err := a.do(t.Context(), Task{Kind: kind, N: n}); err != nil || len(a.held) != 2 {
				t.Fatalf("%s: %d are held, %v", kind, len(a.held), err)
			}
		}
	}
	if _, err := a.do(t.Context(), Task{Kind: Hold, N: 3}); err != nil {
		t.Fatal(err)
	}
	_, err := a.do(t.Context(), Task{Kind: Again, N: 100})
	if want := "conversation 3 of 3 did not stay open: it is over"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	a = opened(struct{ contender.Client }{}, nil)
	if _, err := a.do(t.Context(), Task{Kind: Hold, N: 1}); err == nil {
		t.Error("held by who can't")
	}
}

// Of many some are asked, with the first and the last.
func TestSomeOfManyAreAskedAgain(t *testing.T) {
	a := opened(&fake{}, nil)
	for range 1000 {
		a.held = append(a.held, &fakeHeld{})
	}
	if _, err := a.do(t.Context(), Task{Kind: Again, N: 4}); err != nil {
		t.Fatal(err)
	}
	var asked []int
	for i, h := range a.held {
		if h.(*fakeHeld).asked > 0 {
			asked = append(asked, i)
		}
	}
	if got := fmt.Sprint(asked); got != "[0 333 666 999]" {
		t.Error(got)
	}
}
