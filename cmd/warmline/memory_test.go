package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/proctest"
)

// Keys never repeat, and what is asked for is twice what may be kept: the
// process holds what is declared, and no more.
func TestMemoryStaysWithinWhatIsDeclared(t *testing.T) {
	const (
		declared = 512 << 20
		size     = 16 << 10
		keys     = 2 * declared / size
		atOnce   = 8
	)
	m := newMidTier(t, size, 0)
	plain, err := plainBinary() // the race detector has memory of its own
	if err != nil {
		t.Fatal(err)
	}
	e := startEdgeOf(t, plain, "--config", m.declare(t, fmt.Sprintf("ttl: 1h, bytes: %dMiB, entries: 10000000", declared>>20)), "--passport-keys", keyFile(t))
	line := dial(t, e.at)
	if _, err := items(t.Context(), line, "first"); err != nil {
		t.Fatal(err)
	}
	before := resident(t, e.Process)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for {
				n := next.Add(20)
				if n > keys || t.Failed() {
					return
				}
				ids := make([]string, 20)
				for i := range ids {
					ids[i] = strconv.FormatInt(n+int64(i), 10)
				}
				if got, err := items(t.Context(), line, ids...); got != 20 || err != nil {
					t.Errorf("%d items, %v", got, err)
				}
			}
		})
	}
	most := int64(0)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(100 * time.Millisecond):
		}
		most = max(most, resident(t, e.Process)-before)
	}
	s := e.stats().Caches["items.item"]
	t.Logf("declared %d MiB; the cache says %d MiB in %d entries; the process has grown by %.3f of it; it has taken %v of processor time for %d items",
		declared>>20, s.Bytes>>20, s.Entries, float64(most)/declared, processorTime(t, e.Process), keys)
	if most > declared*11/10 || most < declared*9/10 {
		t.Errorf("the process has grown by %d MiB", most>>20)
	}
}

// resident is the memory of a process, in bytes.
func resident(t *testing.T, p *proctest.Process) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no VmRSS in %s", status)
	return 0
}

// processorTime is that a process has taken.
func processorTime(t *testing.T, p *proctest.Process) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
