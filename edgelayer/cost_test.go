package edgelayer_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/pieces/memory"
)

// BenchmarkCallFromMemory is what one call of a conversation costs the edge when
// its answer is in memory: cpu-ns/call is the processor time of the edge's
// process, user and system, with all that a call needs (reading, the walk and
// the decoding of its message, the method, encoding, writing, the collector).
// The adapter is a process of its own (package memory), one conversation after
// another, over TCP on loopback. A conversation is of 1,024 calls that are all
// different, so that its view answers none of them, and what it costs itself is
// shared by many.
//
// A value is looked up in a warm cache and encoded; bytes are encoded already, and
// so is what is declared: a read of package declare by its key. The bar is 4 µs, for
// what is declared with 64 in flight; "warmline-bench pieces" measures that too.
func BenchmarkCallFromMemory(b *testing.B) {
	const calls = 1024
	for _, method := range []string{memory.Value, memory.Bytes, memory.Declared} {
		name := strings.TrimPrefix(method, "memory.")
		for _, inFlight := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/in-flight=%d", name, inFlight), func(b *testing.B) {
				conversations := (b.N + calls - 1) / calls
				measure(b, memory.Asking{Method: method, Conversations: 1, Calls: calls, InFlight: inFlight}, conversations, conversations*calls, "call")
			})
		}
	}
}

// BenchmarkWholeConversation is what a conversation costs the edge that is
// opened with five calls, answered from memory, and closed: a device request's
// as a rule. So many are open at once.
func BenchmarkWholeConversation(b *testing.B) {
	for _, open := range []int{1, 16} {
		b.Run(fmt.Sprintf("open=%d", open), func(b *testing.B) {
			measure(b, memory.Asking{Method: memory.Value, Conversations: open, Calls: 5, InFlight: 5}, b.N, b.N, "conversation")
		})
	}
}

// measure reports what conversations cost the edge, for each of count things.
func measure(b *testing.B, a memory.Asking, conversations, count int, thing string) {
	store, err := memory.New()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	e := offering(b, store.Services()...)
	adapter, err := harness.Start(context.Background(), "adapter", append([]string{askerCommand}, a.Args(e.addr)...)...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := adapter.Stop(); err != nil {
			b.Error(err)
		}
	})
	hold := func(conversations int) {
		if err := memory.Hold(adapter, conversations); err != nil {
			b.Fatal(err)
		}
	}
	hold(2 * a.Conversations) // what is made once is made
	runtime.GC()
	before := harness.ThisUsage()
	b.ResetTimer()
	hold(conversations)
	b.StopTimer()
	used := harness.ThisUsage().Since(before)
	per := func(total float64, unit string) { b.ReportMetric(total/float64(count), unit+"/"+thing) }
	per(float64(used.CPU), "cpu-ns")
	per(float64(used.Mallocs), "allocs")
	per(float64(used.Allocated), "B")
}
