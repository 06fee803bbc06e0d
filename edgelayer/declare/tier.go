package declare

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// Config is what a tier has besides its declaration.
type Config struct {
	// Invalidate is told what a write has made untrue, after the tier's own caches
	// have forgotten it: to tell other edges. It must not block for long. Default:
	// nobody is told.
	Invalidate func(warm.Invalidation)
	// Grace is how long a tier that is retired goes on, for the conversations that
	// began with it. Default 30 s, which is what edgelayer.Config.MaxBudget is by
	// default; negative: not at all.
	Grace time.Duration
	// Client sends the requests to all sources. Default: each has its own, see
	// source.Config.
	Client *http.Client
	// Log is told what sources and caches tell. The zero value is silent.
	Log zerolog.Logger
}

// Tier is what a declaration runs as. All methods are safe for concurrent use.
// The caller closes it, or retires it for another one.
type Tier struct {
	cfg      Config
	sources  []*reached
	readings []*reading
	services []edgelayer.Service
	family   *family
	closed   sync.Once

	ending  context.Context // ends with Close
	end     context.CancelFunc
	retired sync.WaitGroup // tiers that are to be closed
}

// reached is a source that runs. Several tiers may have it.
type reached struct {
	src   *source.Source
	reach source.Config
	tiers atomic.Int32
}

// New makes a tier of a declaration. Nothing is sent. The declaration must not be
// changed afterwards.
func New(d *Declaration, cfg Config) (*Tier, error) {
	if cfg.Grace == 0 {
		cfg.Grace = 30 * time.Second
	}
	return newTier(d, cfg, &Tier{family: &family{}})
}

// newTier takes over from another tier what is declared the same.
func newTier(d *Declaration, cfg Config, from *Tier) (*Tier, error) {
	t := &Tier{cfg: cfg, family: from.family}
	t.ending, t.end = context.WithCancel(context.Background())
	var errs []error
	for _, s := range d.sources {
		r, err := from.reached(s, cfg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.tiers.Add(1)
		t.sources = append(t.sources, r)
		for _, decl := range s.reads {
			rd, err := from.reading(decl, r, cfg.Log)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			rd.tiers.Add(1)
			t.readings = append(t.readings, rd)
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.end()
		t.letGo()
		return nil, err
	}
	for _, s := range d.services {
		t.services = append(t.services, t.service(s))
	}
	return t, nil
}

func (t *Tier) service(s *serviceDecl) edgelayer.Service {
	sv := edgelayer.Service{Name: s.name, Version: s.version}
	for _, decl := range s.methods {
		m := &method{methodDecl: decl, personal: decl.vars.passports(), tier: t}
		if decl.read != nil {
			m.reading = t.readingOf(decl.read)
		} else {
			m.src = t.sources[slices.IndexFunc(t.sources, func(r *reached) bool { return r.reach.Name == decl.write.source })].src
		}
		sv.Methods = append(sv.Methods, edgelayer.NewRaw(m.name, m.shape(), m.run, m.options()...))
	}
	return sv
}

// readingOf is what the tier has of a read of that name, nil if there is nothing.
func (t *Tier) readingOf(decl *readDecl) *reading {
	for _, rd := range t.readings {
		if rd.decl.name == decl.name && rd.decl.source == decl.source {
			return rd
		}
	}
	return nil
}

// Services are what the tier offers.
func (t *Tier) Services() []edgelayer.Service { return slices.Clone(t.services) }

// Sources are the sources, in the order of the file.
func (t *Tier) Sources() []*source.Source {
	list := make([]*source.Source, len(t.sources))
	for i, r := range t.sources {
		list[i] = r.src
	}
	return list
}

// Caches are those of what is read and kept, in the order of the file. The values
// are msgpack.
func (t *Tier) Caches() []*warm.Cache[protocol.Raw] {
	var list []*warm.Cache[protocol.Raw]
	for _, rd := range t.readings {
		if !rd.decl.keeping.off {
			list = append(list, rd.kept)
		}
	}
	return list
}

// Shape tells of one of the caches what is kept under its keys: where it is the
// same, at another edge or after a reload, values may be taken from one another.
// It is "" for a cache that is not the tier's.
func (t *Tier) Shape(c *warm.Cache[protocol.Raw]) string {
	for _, rd := range t.readings {
		if rd.kept == c {
			return rd.shape
		}
	}
	return ""
}

// Invalidate has the caches of this tier, and of all that came of it or that it came
// of, forget what has changed, and returns how many values were dropped.
// Config.Invalidate is not told.
func (t *Tier) Invalidate(i warm.Invalidation) (dropped int) { return t.family.outdate(i) }

// DropAll has the same caches forget everything, as nobody can vouch for it.
func (t *Tier) DropAll() { t.family.dropAll() }

// outdate forgets what a write has made untrue, and tells who is to know.
func (t *Tier) outdate(i warm.Invalidation) {
	t.family.outdate(i)
	if t.cfg.Invalidate != nil {
		t.cfg.Invalidate(i)
	}
}

// Close lets go of sources and caches that no other tier has, also of those of
// tiers that were retired for this one. It may be called twice. Calls fail after it.
func (t *Tier) Close() {
	t.closed.Do(func() {
		t.end()
		t.retired.Wait()
		t.letGo()
	})
}

func (t *Tier) letGo() {
	for _, rd := range t.readings {
		if rd.tiers.Add(-1) == 0 {
			t.family.leave(rd)
			rd.kept.Close()
		}
	}
	for _, r := range t.sources {
		if r.tiers.Add(-1) == 0 {
			r.src.Close()
		}
	}
}
