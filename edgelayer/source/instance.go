package source

import (
	"net/url"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// instance is one of the URLs. While there is another, one that can't be reached,
// or that failed or was slow three times in a row, is left alone, but for one
// attempt after each rest that tries whether it is well.
type instance struct {
	url   string
	alone bool // there is no other
	log   zerolog.Logger

	inRow atomic.Int64
	rests atomic.Int64 // until then, in Unix ns; 0: it is well
}

const (
	rest      = 5 * time.Second
	failInRow = 3
)

// ready reports whether the next attempt may go there. The first one to ask
// after a rest is the one that tries.
func (in *instance) ready(now time.Time) bool {
	until := in.rests.Load()
	return until == 0 || now.UnixNano() > until && in.rests.CompareAndSwap(until, now.Add(rest).UnixNano())
}

// note takes down what an attempt came to: nil is an answer.
func (in *instance) note(f *failure, slow bool) {
	if in.alone {
		return
	}
	switch {
	case f == nil:
		if in.inRow.Load() != 0 {
			in.inRow.Store(0)
		}
		if in.rests.Load() != 0 && in.rests.Swap(0) != 0 {
			in.log.Info().Msg("answers again")
		}
	case f.kind == unreachable:
		in.leave(f)
	case f.kind < blameless, f.kind == lost && slow:
		if in.inRow.Add(1) >= failInRow {
			in.leave(f)
		}
	}
}

func (in *instance) leave(why error) {
	if in.rests.Swap(time.Now().Add(rest).UnixNano()) == 0 {
		in.log.Warn().Err(why).Dur("for", rest).Msg("left alone")
	}
}

// instances take turns.
type instances struct {
	all  []*instance
	turn atomic.Uint64
}

func newInstances(cfg Config) *instances {
	is := &instances{}
	for _, text := range cfg.URLs {
		u, _ := url.Parse(text) // checked
		log := cfg.Log.With().Str("source", cfg.Name).Str("url", u.Redacted()).Logger()
		is.all = append(is.all, &instance{url: text, alone: len(cfg.URLs) == 1, log: log})
	}
	return is
}

// next is where the next attempt goes: to another one than the attempt before,
// and to one that is well, if there is such.
func (is *instances) next(before *instance) *instance {
	if len(is.all) == 1 {
		return is.all[0]
	}
	now, n := time.Now(), uint64(len(is.all))
	first := is.turn.Add(1) - 1
	var other *instance
	for i := range n {
		in := is.all[(first+i)%n]
		if in == before {
			continue
		}
		if in.ready(now) {
			return in
		}
		if other == nil {
			other = in
		}
	}
	if before != nil && before.rests.Load() == 0 {
		return before
	}
	return other
}

// resting counts those that are left alone.
func (is *instances) resting() (n int) {
	for _, in := range is.all {
		if in.rests.Load() != 0 {
			n++
		}
	}
	return n
}
