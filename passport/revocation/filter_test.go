package revocation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"warmline.dev/passport/revocation"
)

// The bars: so many customers' accounts change within the trust window.
const ids = 115_000

var builds = map[string]revocation.Build{"fuse": revocation.BuildFuse, "bloom": revocation.BuildBloom}

// customer is the id of one of 158 million.
func customer(n int) string { return fmt.Sprintf("c-%09d", n) }

// hashes are those of the first n customers.
func hashes(n int) []uint64 {
	list := make([]uint64, n)
	for i := range list {
		list[i] = revocation.Hash(customer(i))
	}
	return list
}

func TestHashIsTheSameEverywhere(t *testing.T) {
	for id, want := range map[string]uint64{
		"":       0xef46db3751d8e999, // the reference's value of XXH64 with the seed 0
		"a":      0xd24ec4f1a98c6e5b,
		"c-1001": 0x03e78892b3d82e56,
	} {
		if got := revocation.Hash(id); got != want {
			t.Errorf("%q: %#016x, expected %#016x", id, got, want)
		}
	}
}

func TestFiltersMissNothingAndSayYesToFew(t *testing.T) {
	const (
		others = 1_000_000
		most   = others / 10_000 // 0.01 %
	)
	for name, build := range builds {
		list := hashes(ids)
		f, err := build(list)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, h := range list {
			if !f.Contains(h) {
				t.Fatalf("%s: says no to customer %d, who is in it", name, i)
			}
		}
		yes := 0
		for i := range others {
			if f.Contains(revocation.Hash(customer(ids + 79*i))) {
				yes++
			}
		}
		t.Logf("%s: %d bytes, yes to %d of %d others: %.4f %%", name, f.Bytes(), yes, others, 100*float64(yes)/others)
		if yes > most {
			t.Errorf("%s: yes to %d of %d that are not in it, expected at most %d", name, yes, others, most)
		}
		if f.Bytes() > 280_000 {
			t.Errorf("%s: %d bytes, expected at most 280,000", name, f.Bytes())
		}
	}
}

// Filters of few are what a set begins with.
func TestFiltersOfFew(t *testing.T) {
	for name, build := range builds {
		for n := 1; n <= 300; n++ {
			list := hashes(n)
			f, err := build(list)
			if err != nil {
				t.Fatalf("%s of %d: %v", name, n, err)
			}
			for _, h := range list {
				if !f.Contains(h) {
					t.Fatalf("%s of %d: says no to one that is in it", name, n)
				}
			}
		}
	}
}

func TestBuildLeavesTheHashesAsTheyAre(t *testing.T) {
	for name, build := range builds {
		list, want := hashes(5000), hashes(5000)
		if _, err := build(list); err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if list[i] != want[i] {
				t.Fatalf("%s: hash %d is another", name, i)
			}
		}
	}
}

func BenchmarkFilterContains(b *testing.B) {
	for name, build := range builds {
		f, err := build(hashes(ids))
		if err != nil {
			b.Fatal(err)
		}
		probes := make([]uint64, 1<<16)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range probes {
			probes[i] = r.Uint64()
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			yes := 0
			for i := 0; b.Loop(); i++ {
				if f.Contains(probes[i&(1<<16-1)]) {
					yes++
				}
			}
			b.ReportMetric(float64(f.Bytes()), "filter-bytes")
			_ = yes
		})
	}
}

func BenchmarkFilterBuild(b *testing.B) {
	for name, build := range builds {
		list := hashes(ids)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := build(list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
