package pieces

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/pieces/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const moment = 20 * time.Millisecond

func TestLoopCountsWhatAnOpTakes(t *testing.T) {
	var sink [][]byte
	ops := 0
	s, err := loop(func(n int) error {
		for range n {
			time.Sleep(time.Millisecond)
			sink = [][]byte{make([]byte, 1000)}
		}
		ops += n
		return nil
	}).measure(t.Context(), Config{Duration: moment})
	if err != nil || ops < 2 || len(sink) != 1 {
		t.Fatalf("%d ops, %v", ops, err)
	}
	if s.ns < 1e6 || s.allocs < 2 || s.bytes < 1000 {
		t.Errorf("%+v of an op that sleeps for a millisecond and allocates twice", s)
	}
}

func TestLoopEndsWithItsContextAndItsOp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ops := 0
	_, err := loop(func(int) error {
		if ops++; ops == 3 {
			cancel()
		}
		time.Sleep(2 * batch) // a batch of one
		return nil
	}).measure(ctx, Config{Duration: time.Hour})
	if !errors.Is(err, context.Canceled) || ops != 3 {
		t.Errorf("%v after %d", err, ops)
	}
	broken := errors.New("broken")
	for _, do := range []loop{
		func(int) error { return broken },
		parallel(func(int) error { return broken }),
	} {
		if _, err := do.measure(t.Context(), Config{Duration: time.Hour}); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

func TestParallelDoesEachOpOnce(t *testing.T) {
	for _, n := range []int{1, 4095, 4096, 4097, 100_000} {
		var done atomic.Int64
		if err := parallel(func(n int) error { done.Add(int64(n)); return nil })(n); err != nil || done.Load() != int64(n) {
			t.Errorf("%d of %d, %v", done.Load(), n, err)
		}
	}
}

func TestSummaryHasMediansAndSpread(t *testing.T) {
	got := summarize(piece{group: "codec", name: "p", encoded: 300}, []sample{{30, 29, 1, 8}, {10, 9, 3, 7}, {20, 21, 2, 9}})
	want := Result{
		Piece: "p", Group: "codec", NsPerOp: 20, NsMin: 10, NsMax: 30, CPUPerOp: 21, AllocsPerOp: 2, BytesPerOp: 8,
		Encoded: 300, MBPerSecond: 15_000, Rounds: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBarsAreJudgedAtTheirLimits(t *testing.T) {
	r := Report{
		Results: []Result{
			{Piece: "passport, seen before", NsPerOp: 200},
			{Piece: "passport, first sight", NsPerOp: 1501},
			{Piece: "revocation filter, built", NsPerOp: 5e6},
			{Piece: "warm cache hit, parallel", NsPerOp: 60, AllocsPerOp: 0.01},
			{Piece: "call from memory, 64 in flight", NsPerOp: 4001},
			{Piece: "call from memory, 1 in flight", NsPerOp: 1}, // no bar is about it
		},
		Figures: []Figure{{filterMemory, 280_000, "bytes"}, {minuteBytes, 6, "bytes"}, {snapshotBytes, 100, "bytes"}},
	}
	want := []harness.Bar{
		harness.AtMost("passport, seen before: ns", 200, 200),
		harness.AtMost("passport, first sight: ns", 1501, 1500),
		harness.AtMost("revocation filter: bytes of memory", 280_000, 280_000),
		harness.AtMost("revocation filter, built: ms", 5, 50),
		harness.AtMost("revocation: bytes a minute / a snapshot's", 0.06, 0.05),
		harness.AtMost("warm cache hit, parallel: ns", 60, 60),
		harness.AtMost("warm cache hit, parallel: allocations", 0, 0),
		harness.AtMost("call from memory, 64 in flight: µs of the edge's time", 4.001, 4),
	}
	if diff := cmp.Diff(want, judge(r)); diff != "" {
		t.Error(diff)
	}
	if got := judge(Report{Figures: []Figure{{minuteBytes, 6, "bytes"}}}); len(got) != 0 {
		t.Errorf("judged without what it needs: %v", got)
	}
}

func TestGroupsAreInOrderAndThereOnce(t *testing.T) {
	groups, err := Config{Groups: []string{"call", "passport", "call"}, Rounds: 1, Duration: 1}.groups()
	var got []string
	for _, g := range groups {
		got = append(got, g.name)
	}
	if err != nil || !slices.Equal(got, []string{"passport", "call"}) {
		t.Errorf("%v, %v", got, err)
	}
}

// What can't be measured is named, and the others go on.
func TestFailuresCostTheOthersNothing(t *testing.T) {
	var progress strings.Builder
	closed := 0
	works := func(context.Context) (ready, error) {
		sleeps := loop(func(n int) error { time.Sleep(time.Duration(n) * time.Millisecond); return nil })
		fails := loop(func(int) error { return errors.New("it broke") })
		return ready{
			pieces:  []piece{{name: "breaks", measure: fails.measure}, {name: "works", measure: sleeps.measure}},
			figures: []Figure{{"size", 3, "bytes"}},
			close:   func() { closed++ },
		}, nil
	}
	never := func(context.Context) (ready, error) { return ready{}, errors.New("no bus") }
	cfg := Config{Rounds: 2, Duration: 1}
	r, err := run(t.Context(), cfg, []group{{name: "dark", prepare: never}, {name: "bright", prepare: works}}, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	if len(r.Results) != 1 || r.Results[0].Piece != "works" || r.Results[0].Group != "bright" || r.Results[0].Rounds != 2 || len(r.Figures) != 1 {
		t.Errorf("%+v, %+v", r.Results, r.Figures)
	}
	want := []Failure{{"dark", 0, "no bus"}, {"breaks", 1, "it broke"}, {"breaks", 2, "it broke"}}
	if diff := cmp.Diff(want, r.Failures); diff != "" {
		t.Error(diff)
	}
	if err := r.Err(); err == nil || err.Error() != "3 measurements came to nothing, the first: dark: no bus" {
		t.Error(err)
	}
	for _, said := range []string{"dark can't be made ready: no bus\n", "breaks, round 2 came to nothing: it broke\n", "round 2 of 2 done"} {
		if !strings.Contains(progress.String(), said) {
			t.Errorf("progress does not say %q:\n%s", said, progress.String())
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := Config{Groups: Groups(), Rounds: 1, Duration: time.Hour}
	if _, err := Run(ctx, cfg, io.Discard); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := prepareRevocation(ctx); !errors.Is(err, context.Canceled) { // it waits for others
		t.Error(err)
	}
	if _, err := measureCall(ctx, cfg, memory.Asking{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What it begins it ends: see TestMain.
func TestRunLeavesNothing(t *testing.T) {
	r, err := Run(t.Context(), Config{Groups: []string{"cache"}, Rounds: 1, Duration: 1}, io.Discard)
	if err != nil || len(r.Results) != 2 || r.Err() != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTable(t *testing.T) {
	r := Report{
		Head:   harness.Head{Method: harness.Method{Rounds: 3, Duration: 1, WarmUp: 0.3, Text: "one; two"}},
		Groups: []harness.Settings{{Name: "cache", Settings: "hits"}, {Name: "codec", Settings: "a call"}},
		Results: []Result{
			{Piece: "a hit", Group: "cache", NsPerOp: 47.24, NsMin: 45, NsMax: 102.4, CPUPerOp: 94.8, AllocsPerOp: 0.001},
			{Piece: "decoded", Group: "codec", NsPerOp: 2712, NsMin: 999.6, NsMax: 5_901_000, CPUPerOp: 123_456, AllocsPerOp: 4, BytesPerOp: 1602.3, Encoded: 300, MBPerSecond: 1110.6},
		},
		Figures:  []Figure{{"memory", 270_336, "bytes"}},
		Bars:     []harness.Bar{harness.AtMost("a hit: ns", 47.24, 60)},
		Failures: []Failure{{"call", 2, "it broke"}},
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	want := `cache: hits
  piece                                          each fastest – slowest round      CPU  allocs/op       B/op   MB/s
  a hit                                       47.2 ns        45.0 ns – 102 ns  94.8 ns        0.0          0

codec: a call
  piece                                          each fastest – slowest round      CPU  allocs/op       B/op   MB/s
  decoded                                     2.71 µs       1.00 µs – 5.90 ms   123 µs        4.0      1,602  1,111

figures
  memory                                                         270,336 bytes

bars
  a hit: ns                                                   47.24  ≤ 60         yes

came to nothing
  call, round 2: it broke
`
	_, got, _ := strings.Cut(b.String(), "method    one;\n          two\n\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
