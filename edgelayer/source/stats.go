package source

import (
	"context"
	"sync/atomic"
	"time"
)

// Stats are a source's figures since it was made, and what it is like now.
type Stats struct {
	Requests int64   `json:"requests"` // let through by limit and breaker
	Failures int64   `json:"failures"` // of them, that retries and hedges could not mend
	Refused  Refused `json:"refused"`  // requests that were not let through

	Attempts  int64  `json:"attempts"` // sent: requests, retries and hedges
	Failed    Failed `json:"failed"`   // attempts
	Retries   int64  `json:"retries"`
	Hedges    int64  `json:"hedges"`
	HedgesWon int64  `json:"hedges_won"` // that were the first to be answered
	Missed    Missed `json:"missed"`     // retries and hedges that were due

	InFlight int     `json:"in_flight"` // attempts under way now
	Limit    int     `json:"limit"`     // places there are now, as measured; 0: no limit
	Breaker  string  `json:"breaker"`   // "closed", "half-open", "open" or "off"
	Budget   float64 `json:"budget"`    // retries and hedges there may be now; -1: no bound
	Resting  int     `json:"resting"`   // URLs that are left alone now
	P50      float64 `json:"p50_ms"`    // of the last 256 attempts, timeouts included
	P95      float64 `json:"p95_ms"`
}

// Refused are requests, by what did not let them through.
type Refused struct {
	Limit   int64 `json:"limit"`
	Breaker int64 `json:"breaker"`
}

// Missed are retries and hedges, by what there was too little of.
type Missed struct {
	Budget int64 `json:"budget"`
	Limit  int64 `json:"limit"` // a place for a hedge
}

// Failed are attempts, by what became of them.
type Failed struct {
	Timeout     int64 `json:"timeout"`     // no answer in time
	Unreachable int64 `json:"unreachable"` // no connection
	CutOff      int64 `json:"cut_off"`     // the connection broke
	Status      int64 `json:"status"`      // an HTTP status that is no answer
	Garbage     int64 `json:"garbage"`     // not what was expected
	TooLarge    int64 `json:"too_large"`   // more than MaxBody
}

// figures count.
type figures struct {
	budget *budget

	requests, failures, attempts, inFlight atomic.Int64
	failed                                 [blameless]atomic.Int64 // attempts, by kind
}

// around counts a request that was let through, for the budget too.
func (f *figures) around(next step) step {
	return func(ctx context.Context, r *request) error {
		f.requests.Add(1)
		f.budget.earn()
		err := next(ctx, r)
		if blamed(err) != nil {
			f.failures.Add(1)
		}
		return err
	}
}

// Stats returns the figures now.
func (s *Source) Stats() Stats {
	f := &s.figures
	p50, p95 := s.times.quantiles()
	return Stats{
		Requests: f.requests.Load(), Failures: f.failures.Load(),
		Refused:  Refused{Limit: s.limit.refused.Load(), Breaker: s.breaker.refused.Load()},
		Attempts: f.attempts.Load(),
		Failed: Failed{
			Timeout: f.failed[timeout].Load(), Unreachable: f.failed[unreachable].Load(), CutOff: f.failed[cutOff].Load(),
			Status: f.failed[status].Load(), Garbage: f.failed[garbage].Load(), TooLarge: f.failed[tooLarge].Load(),
		},
		Retries: s.retry.made.Load(), Hedges: s.hedge.made.Load(), HedgesWon: s.hedge.won.Load(),
		Missed:   Missed{Budget: s.budget.refused.Load(), Limit: s.hedge.noPlace.Load()},
		InFlight: int(f.inFlight.Load()), Limit: s.limit.now(), Breaker: s.breaker.state(), Budget: s.budget.left(),
		Resting: s.instances.resting(), P50: ms(p50), P95: ms(p95),
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
