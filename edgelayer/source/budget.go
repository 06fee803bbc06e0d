package source

import (
	"math"
	"sync"
	"sync/atomic"
)

// budget is how many retries and hedges there may be: each request earns a share
// of one, and so many are saved up at most.
type budget struct {
	share   float64 // negative: no bound
	refused atomic.Int64

	mu    sync.Mutex
	saved float64 // guarded by mu
}

const saveAtMost = 10

func newBudget(share float64) *budget { return &budget{share: share, saved: saveAtMost} }

func (b *budget) earn() {
	if b.share < 0 {
		return
	}
	b.mu.Lock()
	b.saved = min(b.saved+b.share, saveAtMost)
	b.mu.Unlock()
}

// spend takes one, or counts that there was none.
func (b *budget) spend() bool {
	if b.share < 0 {
		return true
	}
	b.mu.Lock()
	const rounding = 1e-9 // five times 0.2 is one
	ok := b.saved > 1-rounding
	if ok {
		b.saved = max(b.saved-1, 0)
	}
	b.mu.Unlock()
	if !ok {
		b.refused.Add(1)
	}
	return ok
}

// left is how many there may be now; -1: no bound.
func (b *budget) left() float64 {
	if b.share < 0 {
		return -1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return math.Round(b.saved*10) / 10
}
