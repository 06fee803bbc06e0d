package declare

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
)

// Next makes a tier of another declaration. It shares with this one the sources and
// caches that are declared the same; what is read the same way but kept otherwise,
// or from a source with other policies, has a new cache that begins with what the
// old one holds. A source that is somewhere else altogether, with no URL in common,
// may say something else: what is read from it is not kept. This tier goes on until it is closed or retired, which it must not
// be before Next returns.
func (t *Tier) Next(d *Declaration) (*Tier, error) { return newTier(d, t.cfg, t) }

// Retire closes the tier some time later, see Config.Grace: conversations go on with
// the services that they began with. It is closed together with next, if that
// comes first.
func (t *Tier) Retire(next *Tier) {
	next.retired.Go(func() {
		grace := time.NewTimer(t.cfg.Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
		case <-next.ending.Done():
		}
		t.Close()
	})
}

// reached is the source that is declared so: t's own, or a new one.
func (t *Tier) reached(s *sourceDecl, cfg Config) (*reached, error) {
	for _, r := range t.sources {
		if reflect.DeepEqual(r.reach, s.reach) {
			return r, nil
		}
	}
	reach := s.reach
	reach.Client, reach.Log = cfg.Client, cfg.Log
	reach.URLs = slices.Clone(reach.URLs)
	src, err := source.New(reach)
	if err != nil {
		return nil, err
	}
	kept := s.reach
	kept.URLs = reach.URLs // SetURL may change the declaration's own
	return &reached{src: src, reach: kept}, nil
}

// reading is what is read as it is declared: t's own, or a new one.
func (t *Tier) reading(decl *readDecl, from *reached, log zerolog.Logger) (*reading, error) {
	before := t.readingOf(decl)
	if before != nil && (before.shape != shapeOf(decl) || t.hasMoved(from.reach)) {
		before = nil
	}
	if before != nil && before.src == from.src && before.decl.loadsLike(decl) {
		return before, nil
	}
	rd, err := newReading(decl, from.src, log)
	if err != nil {
		return nil, err
	}
	t.family.join(rd) // what is outdated while it takes over is not taken
	if before == nil || before.decl.keeping.off || decl.keeping.off {
		return rd, nil
	}
	at := time.Now() // not each entry's own: what is dropped from now on is not taken
	for _, e := range before.kept.Hottest(math.MaxInt64) {
		rd.kept.Take(e, at)
	}
	return rd, nil
}

// hasMoved reports whether a source has none of the URLs that it has here.
func (t *Tier) hasMoved(to source.Config) bool {
	for _, r := range t.sources {
		if r.reach.Name == to.Name {
			return !slices.ContainsFunc(to.URLs, func(url string) bool { return slices.Contains(r.reach.URLs, url) })
		}
	}
	return true
}

// loadsLike reports whether two of one shape are loaded and kept the same.
func (rd *readDecl) loadsLike(other *readDecl) bool {
	return rd.keeping == other.keeping && bytes.Equal(rd.fallback, other.fallback) && reflect.DeepEqual(rd.batch, other.batch)
}

// family is what is read by all tiers that come of one another. What a write makes
// untrue is untrue for all.
type family struct {
	mu       sync.Mutex
	readings []*reading // guarded by mu
}

func (f *family) join(rd *reading) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readings = append(f.readings, rd)
}

func (f *family) leave(rd *reading) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readings = slices.DeleteFunc(f.readings, func(one *reading) bool { return one == rd })
}

func (f *family) all() []*reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.readings)
}

func (f *family) outdate(i warm.Invalidation) (dropped int) {
	for _, rd := range f.all() {
		dropped += rd.kept.Invalidate(i)
	}
	return dropped
}

func (f *family) dropAll() {
	for _, rd := range f.all() {
		rd.kept.DropAll()
	}
}
