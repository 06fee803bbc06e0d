package line

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Pool keeps a line to each of several peers that do the same, and spreads work
// over those that are well.
type Pool struct {
	members []*Member
	stop    context.CancelFunc
	probes  sync.WaitGroup
}

// Member is one peer of a pool.
type Member struct {
	*Keeper
	work atomic.Int64 // taken and not given back

	mu sync.Mutex
	// guarded by mu
	latency time.Duration // of answers, an average that forgets within seconds; 0: none was heard
	heard   time.Time     // the last one
	well    context.Context
	ail     context.CancelFunc // ends well
}

// NewPool starts to keep a line to each target. The error is about an address.
func NewPool(targets []Target, log zerolog.Logger) (*Pool, error) {
	p := &Pool{}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	for _, t := range targets {
		k, err := Start(t, log)
		if err != nil {
			_ = p.Shutdown(ended())
			return nil, err
		}
		m := &Member{Keeper: k}
		m.recover()
		p.members = append(p.members, m)
		p.probes.Go(func() { m.probe(ctx) })
	}
	return p, nil
}

// Wait returns when one line stands, or with the first peer's error when none
// will (see [Keeper.Wait]) or ctx has ended.
func (p *Pool) Wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(p.members))
	stands := make(chan struct{}, len(p.members))
	var wg sync.WaitGroup
	for i, m := range p.members {
		wg.Go(func() {
			if errs[i] = m.Wait(ctx); errs[i] == nil {
				stands <- struct{}{}
				cancel()
			}
		})
	}
	wg.Wait()
	if len(stands) > 0 {
		return nil
	}
	return errors.Join(errs...)
}

// Pick takes a member for work, and its line; nil if there is no line. Of two that
// are well, drawn at random, it is the one with less work for its speed. It is
// none of but, unless there is no other. The work has to be given back with
// [Member.Done].
func (p *Pool) Pick(but ...*Member) (*Member, *Line) {
	var well, others []*Member
	for _, m := range p.members {
		switch {
		case m.Line() == nil:
		case m.Well().Err() != nil || among(but, m):
			others = append(others, m)
		default:
			well = append(well, m)
		}
	}
	from := well
	if len(from) == 0 {
		from = others
	}
	if len(from) == 0 {
		return nil, nil
	}
	i := rand.IntN(len(from))
	m := from[i]
	if len(from) > 1 {
		other := from[(i+1+rand.IntN(len(from)-1))%len(from)]
		if p.cost(other) < p.cost(m) {
			m = other
		}
	}
	l := m.Line()
	if l == nil { // lost in this moment
		return nil, nil
	}
	m.work.Add(1)
	return m, l
}

func among(members []*Member, m *Member) bool {
	for _, other := range members {
		if other == m {
			return true
		}
	}
	return false
}

// cost is what one more piece of work would wait for: the work that is there, at
// the member's speed. One that was not heard of late is taken for as quick as the
// quickest, so that it is tried.
func (p *Pool) cost(m *Member) float64 {
	latency := m.speed()
	if latency == 0 {
		latency = time.Duration(math.MaxInt64)
		for _, other := range p.members {
			if l := other.speed(); l > 0 {
				latency = min(latency, l)
			}
		}
		if latency == math.MaxInt64 {
			latency = 1
		}
	}
	return float64(m.work.Load()+1) * float64(latency)
}

const (
	memory   = 3 * time.Second // after which a latency counts for a third
	outdated = 10 * time.Second
)

func (m *Member) speed() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.heard) > outdated {
		return 0
	}
	return m.latency
}

// Heard notes how long an answer took.
func (m *Member) Heard(took time.Duration) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.latency == 0 {
		m.latency = took
	}
	// At most a tenth for one of many that come together.
	weight := max(1-math.Exp(-float64(now.Sub(m.heard))/float64(memory)), 0.1)
	m.latency += time.Duration(weight * float64(took-m.latency))
	m.heard = now
}

// Done gives work back.
func (m *Member) Done() { m.work.Add(-1) }

// Well ends when the member does not answer any more, though its line stands. It
// is another one once it answers again.
func (m *Member) Well() context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.well
}

func (m *Member) recover() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.well == nil || m.well.Err() != nil {
		m.well, m.ail = context.WithCancel(context.Background())
	}
}

const (
	probeEvery   = 250 * time.Millisecond
	probeTimeout = 400 * time.Millisecond
	misses       = 2 // probes in a row after which a member is not well
)

// probe asks a member that has work, or that is not well, whether it answers: a
// process that hangs keeps its connections, and a keepalive takes long to tell.
func (m *Member) probe(ctx context.Context) {
	missed := 0
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			m.ail()
			return
		}
		l := m.Line()
		if l == nil || m.work.Load() == 0 && m.Well().Err() == nil {
			missed = 0
			continue
		}
		asked, cancel := context.WithTimeout(ctx, probeTimeout)
		err := l.ping(asked)
		cancel()
		switch {
		case err == nil:
			missed = 0
			if m.Well().Err() != nil {
				m.log.Info().Msg("the peer answers again")
				m.recover()
			}
		case l.Conn.Draining() || ctx.Err() != nil:
			missed = 0
		default:
			if missed++; missed == misses {
				m.log.Warn().Msg("the peer does not answer: others are asked")
				m.ail()
			}
		}
	}
}

// Shutdown stops dialling and shuts all lines down gracefully, within ctx.
func (p *Pool) Shutdown(ctx context.Context) error {
	errs := make([]error, len(p.members))
	var wg sync.WaitGroup
	for i, m := range p.members {
		wg.Go(func() { errs[i] = m.Shutdown(ctx) })
	}
	wg.Wait()
	p.stop()
	p.probes.Wait()
	return errors.Join(errs...)
}

// Lines are the lines that stand.
func (p *Pool) Lines() (lines []*Line) {
	for _, m := range p.members {
		if l := m.Line(); l != nil {
			lines = append(lines, l)
		}
	}
	return lines
}
