package warm_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// films is a source: what it has can be changed, and it can be made slow or broken.
type films struct {
	mu       sync.Mutex
	has      map[string]string
	takes    time.Duration
	broken   error
	requests []string // the keys of each, joined
}

func newFilms() *films { return &films{has: map[string]string{"1": "one", "2": "two", "3": "three"}} }

func (f *films) load(ctx context.Context, keys []string) (map[string]string, error) {
	f.mu.Lock()
	f.requests = append(f.requests, strings.Join(keys, ","))
	takes := f.takes
	f.mu.Unlock()
	if takes > 0 {
		// no select with a timer's channel: in a bubble, with -race, the runtime dies of it now and then
		slow, done := context.WithTimeout(ctx, takes)
		<-slow.Done()
		done()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	found := map[string]string{}
	for _, k := range keys {
		if v, ok := f.has[k]; ok {
			found[k] = v
		}
	}
	return found, nil
}

func (f *films) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// asked is the requests since it was last called.
func (f *films) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.requests
	f.requests = nil
	return asked
}

var errDown = protocol.Errorf(protocol.Unavailable, "source films: down")

// bench is a cache in a bubble of time, and the source that it loads from.
type bench struct {
	t *testing.T
	*films
	c *warm.Cache[string]
}

// inBubble runs a test of a cache whose values are fresh for exactly a minute,
// unless cfg says otherwise.
func inBubble(t *testing.T, cfg warm.Config[string], f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, films: newFilms()}
		cfg.Source, cfg.Name, cfg.Load = "films", "film", b.load
		if cfg.Jitter == 0 {
			cfg.Jitter = -1
		}
		var err error
		if b.c, err = warm.New(cfg); err != nil {
			t.Fatal(err)
		}
		defer b.c.Close()
		f(b)
		synctest.Wait()
	})
}

// get asks for a key and says what it expects.
func (b *bench) get(key, want string) {
	b.t.Helper()
	if v, err := b.c.Get(b.t.Context(), key); v != want || err != nil {
		b.t.Errorf("%s is %q, %v, want %q", key, v, err, want)
	}
}

func (b *bench) fails(key string, code protocol.Code) *protocol.Error {
	b.t.Helper()
	v, err := b.c.Get(b.t.Context(), key)
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok || e.Code != code {
		b.t.Fatalf("%s is %q, %v, want %v", key, v, err, code)
	}
	return e
}

// want says which requests the source has had since.
func (b *bench) want(requests ...string) {
	b.t.Helper()
	synctest.Wait()
	got := b.asked()
	slices.Sort(got)
	slices.Sort(requests)
	if !slices.Equal(got, requests) {
		b.t.Errorf("the source was asked for %q, want %q", got, requests)
	}
}

func (b *bench) change(key, value string) { b.set(func() { b.has[key] = value }) }
func (b *bench) breakDown()               { b.set(func() { b.broken = errDown }) }
func (b *bench) mend()                    { b.set(func() { b.broken = nil }) }
func (b *bench) slow(d time.Duration)     { b.set(func() { b.takes = d }) }

func values(t *testing.T, c *warm.Cache[string], keys ...string) map[string]string {
	t.Helper()
	answers, err := c.GetAll(t.Context(), keys)
	if err != nil || len(answers) != len(keys) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	got := map[string]string{}
	for i, a := range answers {
		if a.Err == nil {
			got[keys[i]] = a.Value
		} else if protocol.AsError(a.Err).Code != protocol.NotFound {
			t.Errorf("%s: %v", keys[i], a.Err)
		}
	}
	return got
}

func wantValues(t *testing.T, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
