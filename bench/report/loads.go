package report

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// A job's results under one load stand together in charts: each of these is a load
// with one result of each contender.

// lightest and heaviest choose between loads that differ in how many jobs are
// under way only.
func lightest(a, b int) bool { return a < b }
func heaviest(a, b int) bool { return a > b }

// closedLoads are those of the closed loop, one for each round-trip time, ascending.
// rather says which number of jobs at a time is taken where there are several.
func closedLoads(results []JobResult, rather func(a, b int) bool) [][]JobResult {
	type load struct {
		rtt float64
		at  int
	}
	chosen, of := map[float64]int{}, map[load][]JobResult{}
	for _, r := range results {
		if r.Mode == modeOpen {
			continue
		}
		if at, ok := chosen[r.RTT]; !ok || rather(r.Concurrency, at) {
			chosen[r.RTT] = r.Concurrency
		}
		key := load{r.RTT, r.Concurrency}
		of[key] = append(of[key], r)
	}
	var loads [][]JobResult
	for _, rtt := range slices.Sorted(maps.Keys(chosen)) {
		loads = append(loads, onceEach(of[load{rtt, chosen[rtt]}]))
	}
	return loads
}

// openLoads are those of the open loop, by round-trip time and rate.
func openLoads(results []JobResult) [][]JobResult {
	type load struct{ rtt, rate float64 }
	of := map[load][]JobResult{}
	for _, r := range results {
		if r.Mode == modeOpen {
			key := load{r.RTT, r.Rate}
			of[key] = append(of[key], r)
		}
	}
	keys := slices.SortedFunc(maps.Keys(of), func(a, b load) int {
		return cmp.Or(cmp.Compare(a.rtt, b.rtt), cmp.Compare(a.rate, b.rate))
	})
	var loads [][]JobResult
	for _, key := range keys {
		loads = append(loads, onceEach(of[key]))
	}
	return loads
}

// nearest is the load whose round-trip time is nearest to one, of those that have
// any; nil without loads.
func nearest(loads [][]JobResult, rtt float64) []JobResult {
	var best []JobResult
	distance := func(at []JobResult) float64 {
		if at[0].RTT == 0 {
			return math.Inf(1)
		}
		return math.Abs(math.Log(at[0].RTT / rtt))
	}
	for _, at := range loads {
		if best == nil || distance(at) < distance(best) {
			best = at
		}
	}
	return best
}

// onceEach keeps the first result of each contender.
func onceEach(results []JobResult) []JobResult {
	seen := map[string]bool{}
	return slices.DeleteFunc(results, func(r JobResult) bool {
		before := seen[r.Contender]
		seen[r.Contender] = true
		return before
	})
}

// inOrder are the different keys of results, in the order in which they come.
func inOrder[R any, K comparable](results []R, key func(R) K) []K {
	var keys []K
	seen := map[K]bool{}
	for _, r := range results {
		if k := key(r); !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}

func contenders(results []JobResult) []string {
	return inOrder(results, func(r JobResult) string { return r.Contender })
}
