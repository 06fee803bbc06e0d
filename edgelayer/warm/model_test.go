package warm_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// versions is a source whose values only ever grow.
type versions struct {
	mu  sync.Mutex
	of  map[string]int
	rng *rand.Rand
}

func (s *versions) some(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

// pause takes up to most milliseconds. It sleeps: with the race detector, a select
// with a timer's channel in it, in a bubble of time, now and then ends the process in
// the runtime (Go 1.26.8, timer.maybeRunChan).
func (s *versions) pause(most int) { time.Sleep(time.Duration(s.some(most)) * time.Millisecond) }

// load looks at the values at some moment before it answers, and fails at times.
func (s *versions) load(ctx context.Context, keys []string) (map[string]string, error) {
	s.pause(10)
	s.mu.Lock()
	found := map[string]string{}
	for _, k := range keys {
		if s.of[k] > 0 {
			found[k] = strconv.Itoa(s.of[k])
		}
	}
	s.mu.Unlock()
	s.pause(20)
	switch s.some(12) {
	case 0:
		return nil, errDown
	case 1:
		panic("a load that panics")
	}
	return found, ctx.Err()
}

// edge is a cache, and what whoever asks it has to see at least.
type edge struct {
	c     *warm.Cache[string]
	mu    sync.Mutex
	least map[string]int // guarded by mu
}

func (e *edge) floors() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	floors := map[string]int{}
	for k, v := range e.least {
		floors[k] = v
	}
	return floors
}

func (e *edge) raise(floors map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, v := range floors {
		e.least[k] = max(e.least[k], v)
	}
}

// Whatever else goes on, who asks after an invalidation has returned is not given
// what was loaded before it: also where values are handed over, and where an edge
// that has missed invalidations has forgotten everything.
func TestNobodyIsGivenWhatHasChanged(t *testing.T) {
	for seed := range uint64(24) {
		cfg := warm.Config[string]{
			TTL:   []time.Duration{15 * time.Millisecond, 100 * time.Millisecond, time.Minute}[seed%3],
			Batch: 1 + int(seed%4), Within: []time.Duration{-1, 3 * time.Millisecond}[seed/4%2],
			MaxEntries: []int{3, 100}[seed/8%2],
			Group:      func(key string) string { return key[:1] },
		}
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { race(t, seed, cfg) })
		})
	}
}

// race has two edges asked, told and filled by many at once.
func race(t *testing.T, seed uint64, cfg warm.Config[string]) {
	src := &versions{of: map[string]int{}, rng: rand.New(rand.NewPCG(seed, 1))}
	keys := []string{"a/1", "a/2", "a/3", "b/1", "b/2"}
	cfg.Source, cfg.Name, cfg.Load = "films", "film", src.load
	var edges [2]*edge
	for i := range edges {
		c, err := warm.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		edges[i] = &edge{c: c, least: map[string]int{}}
	}
	sees := func(e *edge, what, key string, floors map[string]int, v string, err error) {
		got, _ := strconv.Atoi(v)
		if err != nil && protocol.AsError(err).Code != protocol.NotFound {
			return
		}
		if got < floors[key] {
			t.Errorf("%s: %s is %q, %v, expected %d at least", what, key, v, err, floors[key])
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var wg sync.WaitGroup
	again := func(most int, f func()) {
		wg.Go(func() {
			for ctx.Err() == nil {
				f()
				src.pause(most)
			}
		})
	}
	// One edge is cut off at times, and forgets everything before it is back.
	const told = 4 // changes that are being told at once
	bus := make(chan struct{}, told)
	hold := func(n int, f func()) {
		for range n {
			bus <- struct{}{}
		}
		f()
		for range n {
			<-bus
		}
	}
	cutOff := false
	changed := func() {
		key := keys[src.some(len(keys))]
		i := warm.Invalidation{Source: "films", Key: key}
		switch src.some(20) {
		case 0:
			i.Key, i.All = "", true
		case 1:
			i.Key, i.Prefix = "", key[:2]
		}
		src.mu.Lock()
		src.of[key]++
		floors := map[string]int{key: src.of[key]}
		src.mu.Unlock()
		hold(1, func() {
			for n, e := range edges {
				if n == 1 && cutOff {
					continue
				}
				e.c.Invalidate(i)
				e.raise(floors)
				src.pause(3)
			}
		})
	}
	for range told {
		again(10, changed)
	}
	again(100, func() {
		hold(told, func() { cutOff = true })
		src.pause(30)
		hold(told, func() {
			edges[1].c.DropAll()
			edges[1].raise(edges[0].floors())
			cutOff = false
		})
	})
	for _, e := range edges {
		for range 6 {
			again(4, func() {
				key := keys[src.some(len(keys))]
				floors := e.floors()
				within, cancel := context.WithTimeout(ctx, time.Duration(5+src.some(40))*time.Millisecond)
				defer cancel()
				if src.some(5) == 0 {
					within = warm.WithFresh(within)
				}
				v, err := e.c.Get(within, key)
				sees(e, "Get", key, floors, v, err)
			})
		}
		again(5, func() {
			floors := e.floors()
			answers, err := e.c.GetAll(ctx, keys)
			for i, a := range answers {
				if err == nil {
					sees(e, "GetAll", keys[i], floors, a.Value, a.Err)
				}
			}
		})
	}
	again(20, func() { // the one that is never cut off hands over
		at := time.Now()
		hottest := edges[0].c.Hottest(1 << 20)
		for _, entry := range hottest {
			src.pause(10)
			edges[1].c.Take(entry, at)
		}
	})
	wg.Wait()
}
