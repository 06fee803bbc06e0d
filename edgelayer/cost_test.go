//go:build unix

package edgelayer_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// BenchmarkCallFromMemory is what one call of a conversation costs the edge when
// its answer is in memory: cpu-ns/call is the processor time of the edge's
// process, user and system, with all that a call needs (reading, the walk and
// the decoding of its message, the method, encoding, writing, the collector).
// The adapter is a process of its own (see asker), one conversation after
// another, over TCP on loopback. A conversation is of 1,024 calls that are all
// different, so that its view answers none of them, and what it costs itself is
// shared by many.
//
// A value is looked up in a warm cache and encoded; bytes are encoded already, and
// so is what is declared: a read of package declare by its key. The bar is 4 µs, for
// what is declared with 64 in flight.
func BenchmarkCallFromMemory(b *testing.B) {
	const calls = 1024
	for _, method := range []string{"memory.value", "memory.bytes", "declared.film"} {
		name := strings.TrimPrefix(method, "memory.")
		for _, inFlight := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/in-flight=%d", name, inFlight), func(b *testing.B) {
				conversations := (b.N + calls - 1) / calls
				measure(b, asking{method: method, conversations: 1, calls: calls, inFlight: inFlight}, conversations, conversations*calls, "call")
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
			measure(b, asking{method: "memory.value", conversations: open, calls: 5, inFlight: 5}, b.N, b.N, "conversation")
		})
	}
}

// measure reports what conversations cost the edge, for each of count things.
func measure(b *testing.B, a asking, conversations, count int, thing string) {
	e := offering(b, memory(b), declared(b))
	p := startAsker(b, e, a)
	askFor(b, p, 2*a.conversations) // what is made once is made
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	used := processorTime(b)
	askFor(b, p, conversations)
	used = processorTime(b) - used
	b.StopTimer()
	runtime.ReadMemStats(&after)
	per := func(total float64, unit string) { b.ReportMetric(total/float64(count), unit+"/"+thing) }
	per(float64(used), "cpu-ns")
	per(float64(after.Mallocs-before.Mallocs), "allocs")
	per(float64(after.TotalAlloc-before.TotalAlloc), "B")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// film is an answer of about 200 bytes.
type film struct {
	ID       int      `json:"id"`
	Title    string   `json:"title"`
	Released int      `json:"released"`
	Director string   `json:"director"`
	Minutes  int      `json:"minutes"`
	Country  string   `json:"country"`
	Genres   []string `json:"genres"`
	Rating   float64  `json:"rating"`
}

func numbered(id int) film {
	return film{
		ID: id, Title: fmt.Sprintf("The film with the number %d", id), Released: 1920 + id%100, Director: "Margarethe von Trotta",
		Minutes: 80 + id%60, Country: "Germany", Genres: []string{"drama", "history", "documentary"}, Rating: 7.3,
	}
}

// fill puts all films into a cache, encoded.
func fill(b *testing.B, c *warm.Cache[protocol.Raw]) {
	b.Helper()
	for id := range askedIDs {
		raw, err := protocol.MsgPack.Marshal(numbered(id))
		if err != nil {
			b.Fatal(err)
		}
		c.Set(strconv.Itoa(id), raw)
	}
}

// newCache is a cache that has to be filled.
func newCache[V any](b *testing.B) *warm.Cache[V] {
	b.Helper()
	c, err := warm.New(warm.Config[V]{TTL: time.Hour, Load: func(context.Context, []string) (map[string]V, error) {
		return nil, errors.New("it is not in memory")
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

// memory is a service that has all its answers in memory.
func memory(b *testing.B) edgelayer.Service {
	b.Helper()
	values, encoded := newCache[film](b), newCache[protocol.Raw](b)
	for id := range askedIDs {
		values.Set(strconv.Itoa(id), numbered(id))
	}
	fill(b, encoded)
	type byID struct {
		ID int `json:"id"`
	}
	return edgelayer.Service{Name: "memory", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("value", func(ctx context.Context, in byID) (film, error) { return values.Get(ctx, strconv.Itoa(in.ID)) }, edgelayer.Reads()),
		edgelayer.NewMethod("bytes", func(ctx context.Context, in byID) (protocol.Raw, error) { return encoded.Get(ctx, strconv.Itoa(in.ID)) }, edgelayer.Reads()),
	}}
}

// declared is the same as a declaration has it. Its source is asked for nothing.
func declared(b *testing.B) edgelayer.Service {
	b.Helper()
	d, err := declare.Parse("edge.yaml", []byte(`
sources:
  films: {url: "http://127.0.0.1:9", reads: {film: {get: "/films/{id}", cache: {ttl: 1h}}}}
services:
  declared: {1.0.0: {film: {read: films.film, args: {id: integer}}}}
`))
	if err != nil {
		b.Fatal(err)
	}
	tier, err := declare.New(d, declare.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(tier.Close)
	fill(b, tier.Caches()[0])
	return tier.Services()[0]
}
