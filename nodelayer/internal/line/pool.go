package line

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Pool keeps a line to each of several peers that do the same, and spreads work
// over those that are well.
type Pool struct {
	log    zerolog.Logger
	lookup Lookup
	ctx    context.Context // ends with Shutdown
	stop   context.CancelFunc
	wg     sync.WaitGroup // who probes members, follows names, and sees members off

	mu      sync.Mutex
	members []*Member // guarded by mu; replaced, not changed
}

// Member is one peer of a pool.
type Member struct {
	*Keeper
	of   *name         // nil: it was given by address
	gone chan struct{} // closed when its name no longer stands for it
	work atomic.Int64  // taken and not given back

	mu sync.Mutex
	// guarded by mu
	latency time.Duration // of answers, an average that forgets within seconds; 0: none was heard
	heard   time.Time     // the last one
	well    context.Context
	ail     context.CancelFunc // ends well
}

// NewPool starts to keep a line to each target. It waits for the addresses of
// those that are names (see [Lookup]), until ctx ends; other errors are about an
// address.
func NewPool(ctx context.Context, targets []Target, lookup Lookup, log zerolog.Logger) (*Pool, error) {
	p := &Pool{log: log, lookup: lookup}
	p.ctx, p.stop = context.WithCancel(context.Background())
	for _, t := range targets {
		var err error
		if n, isName := nameOf(t); isName {
			err = p.follow(ctx, n)
		} else {
			err = p.add(t, nil)
		}
		if err != nil {
			_ = p.Shutdown(ended())
			return nil, err
		}
	}
	return p, nil
}

// add takes a peer in. Of is the name that it goes by, if it is by one.
func (p *Pool) add(t Target, of *name) error {
	k, err := Start(t, p.log)
	if err != nil {
		return err
	}
	m := &Member{Keeper: k, of: of, gone: make(chan struct{})}
	m.recover()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = append(slices.Clone(p.members), m)
	p.wg.Go(func() { m.probe(p.ctx) })
	return nil
}

// remove lets a peer finish what is under way. The caller holds mu.
func (p *Pool) remove(m *Member) {
	const patience = 30 * time.Second
	p.members = slices.DeleteFunc(slices.Clone(p.members), func(other *Member) bool { return other == m })
	close(m.gone)
	p.wg.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		defer cancel()
		_ = m.Shutdown(ctx) // it ends either way
	})
}

func (p *Pool) all() []*Member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.members
}

// Wait returns when one line stands, or with the first peer's error when none
// will (see [Keeper.Wait]) or ctx has ended.
func (p *Pool) Wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	members := p.all()
	errs := make([]error, len(members))
	stands := make(chan struct{}, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
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
	var room [2][4]*Member // as a rule there are few
	well, others := room[0][:0], room[1][:0]
	members := p.all()
	for _, m := range members {
		switch {
		case m.Line() == nil:
		case m.Well().Err() != nil || slices.Contains(but, m):
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
		if cost(other, members) < cost(m, members) {
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

// cost is what one more piece of work would wait for: the work that is there, at
// the member's speed. One that was not heard of late is taken for as quick as the
// quickest, so that it is tried.
func cost(m *Member, all []*Member) float64 {
	latency := m.speed()
	if latency == 0 {
		latency = time.Duration(math.MaxInt64)
		for _, other := range all {
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
			return // what is under way goes on
		case <-m.gone:
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
	p.stop()
	p.wg.Wait() // nobody is added any more
	members := p.all()
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() { errs[i] = m.Shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Lines are the lines that stand.
func (p *Pool) Lines() (lines []*Line) {
	for _, m := range p.all() {
		if l := m.Line(); l != nil {
			lines = append(lines, l)
		}
	}
	return lines
}
