package pieces

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"warmline.dev/passport/revocation"
)

const (
	ids     = 115_000 // in the filter
	changes = 240     // since it was built: those of a minute
	strange = 1 << 12 // ids that are asked for, a power of two
	guesses = 10_000_000
)

// customer is the id of one of 158 million.
func customer(n int) string { return fmt.Sprintf("c-%09d", n) }

func prepareRevocation(ctx context.Context) (ready, error) {
	issued := time.Now().Add(-time.Hour)
	set, figures, err := told(ctx, issued)
	if err != nil {
		return ready{}, err
	}
	hashes := make([]uint64, ids)
	for i := range hashes {
		hashes[i] = revocation.Hash(customer(i))
	}
	filter, err := revocation.BuildFuse(hashes)
	if err != nil {
		return ready{}, err
	}
	wrong, err := falsePositives(ctx, filter)
	if err != nil {
		return ready{}, err
	}
	others, members := make([]string, strange), make([]string, strange)
	probes := make([]uint64, strange)
	for i := range strange {
		others[i], members[i] = customer(ids+1000+37_000*i), customer(20*i)
		probes[i] = revocation.Hash(others[i])
	}
	if n := asked(set, members, issued, strange); n != strange {
		return ready{}, fmt.Errorf("the set does not have %d of the ids that it was told", strange-n)
	}
	if n := asked(set, others, issued, strange); n != 0 {
		return ready{}, fmt.Errorf("the set has %d ids that it was never told", n)
	}
	return ready{figures: append(figures, Figure{falseRate, wrong, "of a million"}), pieces: []piece{
		{name: "revocation check, not in the set", measure: loop(func(n int) error {
			asked(set, others, issued, n)
			return nil
		}).measure},
		{name: "revocation check, in the set", measure: loop(func(n int) error {
			asked(set, members, issued, n)
			return nil
		}).measure},
		{name: "revocation filter, asked", measure: loop(func(n int) error {
			for i := range n {
				filter.Contains(probes[i%strange])
			}
			return nil
		}).measure},
		{name: "revocation filter, built", measure: loop(func(n int) error {
			for range n {
				if _, err := revocation.BuildFuse(hashes); err != nil {
					return err
				}
			}
			return nil
		}).measure},
	}}, nil
}

// asked checks n cookies and counts those in question.
func asked(set *revocation.Set, ids []string, issued time.Time, n int) (yes int) {
	for i := range n {
		if set.Revoked(ids[i%strange], issued) {
			yes++
		}
	}
	return yes
}

// falsePositives is to how many of a million ids that are not in it a filter says yes.
func falsePositives(ctx context.Context, filter revocation.Filter) (float64, error) {
	r := rand.New(rand.NewPCG(1, 2))
	yes := 0
	for i := range guesses {
		if i%(1<<16) == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		// No customer's number has as many digits.
		if filter.Contains(revocation.Hash("c-" + strconv.FormatUint(r.Uint64()|1<<63, 10))) {
			yes++
		}
	}
	return float64(yes) / guesses * 1e6, nil
}
