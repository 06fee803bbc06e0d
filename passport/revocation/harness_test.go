package revocation_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/logged"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

var key = passport.NewKey("2026-11")

func newSet(t testing.TB, change ...func(*revocation.SetConfig)) *revocation.Set {
	t.Helper()
	cfg := revocation.SetConfig{Keys: []passport.Key{key}}
	for _, f := range change {
		f(&cfg)
	}
	s, err := revocation.NewSet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newTeller(epoch uint64) *revocation.Teller {
	return &revocation.Teller{Key: key, Epoch: epoch, Sent: time.Now()}
}

func take(t testing.TB, s *revocation.Set, messages ...[]byte) {
	t.Helper()
	for i, m := range messages {
		if err := s.Take(m); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

func refuses(t testing.TB, s *revocation.Set, want error, m []byte) {
	t.Helper()
	before := s.Stats()
	if err := s.Take(m); !errors.Is(err, want) {
		t.Errorf("%v, expected %v", err, want)
	}
	after := s.Stats()
	after.Old, after.Malformed, after.Forged, after.Age = before.Old, before.Malformed, before.Forged, before.Age
	if before != after {
		t.Errorf("a message was refused and has changed the set:\n%+v\n%+v", before, after)
	}
}

func complete(t testing.TB, s *revocation.Set, want bool) {
	t.Helper()
	if got := s.Complete(); got != want {
		t.Fatalf("complete: %v, expected %v", got, want)
	}
}

// revoked wants cookies of these ids, issued then, to be in question.
func revoked(t testing.TB, s *revocation.Set, issued time.Time, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if !s.Revoked(id, issued) {
			t.Errorf("a cookie of %s of %v passes", id, issued.UTC())
		}
	}
}

func passes(t testing.TB, s *revocation.Set, issued time.Time, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if s.Revoked(id, issued) {
			t.Errorf("a cookie of %s of %v is in question", id, issued.UTC())
		}
	}
}

// wire is a bus as this package wants it.
type wire struct{ *bus.Bus }

var _ revocation.Bus = wire{}

func (w wire) Subscribe(subject string, take func([]byte), gap func()) (end func(), err error) {
	s, err := w.Bus.Subscribe(subject, func(_ string, data []byte) { take(data) }, gap)
	if err != nil {
		return nil, err
	}
	return s.Close, nil
}

func open(t testing.TB, url string) wire {
	t.Helper()
	b, err := bus.Open(bus.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return wire{b}
}

// room is a bus in memory, whose subscribers can be cut off.
type room struct {
	mu    sync.Mutex
	cut   bool
	seats map[*seat]struct{}
	bytes map[string]int // published, by subject
	heard map[string]int // delivered, by subject
}

// seat is a subscription. What it is told waits in line.
type seat struct {
	subject string
	line    chan []byte // nil is a gap
}

func newRoom() *room {
	return &room{seats: map[*seat]struct{}{}, bytes: map[string]int{}, heard: map[string]int{}}
}

var errCut = errors.New("the bus is not there")

func (r *room) Publish(_ context.Context, subject string, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return errCut
	}
	r.bytes[subject] += len(data)
	for s := range r.seats {
		if s.subject == subject {
			r.heard[subject] += len(data)
			s.line <- append([]byte{}, data...)
		}
	}
	return nil
}

func (r *room) Subscribe(subject string, take func([]byte), gap func()) (func(), error) {
	s := &seat{subject, make(chan []byte, 10_000)}
	var ended sync.WaitGroup
	ended.Go(func() {
		for data := range s.line {
			if data == nil {
				gap()
			} else {
				take(data)
			}
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seats[s] = struct{}{}
	if !r.cut {
		s.line <- nil
	}
	return sync.OnceFunc(func() {
		r.mu.Lock()
		delete(r.seats, s)
		close(s.line)
		r.mu.Unlock()
		ended.Wait()
	}), nil
}

// isCut cuts everybody off, or lets them in again, and then may tell them of the gap.
func (r *room) isCut(cut, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
	if tell {
		for s := range r.seats {
			s.line <- nil
		}
	}
}

// gateway is a set that follows.
type gateway struct {
	*revocation.Set
	follower *revocation.Follower
}

func newGateway(t testing.TB, b revocation.Bus) *gateway {
	t.Helper()
	s := newSet(t)
	f, err := revocation.Follow(revocation.FollowerConfig{Bus: b, Set: s, Log: logTo(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return &gateway{s, f}
}

func (g *gateway) ready(t testing.TB) {
	t.Helper()
	if err := g.follower.Ready(await.Context(t)); err != nil {
		t.Fatal(err)
	}
}

// refuses waits until a cookie of an id is in question.
func (g *gateway) refuses(t testing.TB, id string, issued time.Time) {
	t.Helper()
	await.Until(t, "a cookie of "+id+" is refused", func() bool { return g.Revoked(id, issued) })
}

func (g *gateway) completes(t testing.TB) {
	t.Helper()
	await.Until(t, "the set is complete", g.Complete)
}

func newWindow(t testing.TB, path string) *revocation.Window {
	t.Helper()
	w, err := revocation.OpenWindow(revocation.WindowConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func newPublisher(t testing.TB, b revocation.Bus, w *revocation.Window) *revocation.Publisher {
	t.Helper()
	if w == nil {
		w = newWindow(t, filepath.Join(t.TempDir(), "window"))
	}
	p, err := revocation.NewPublisher(revocation.PublisherConfig{Keys: []passport.Key{key}, Bus: b, Window: w, Log: logTo(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func revoke(t testing.TB, p *revocation.Publisher, id string, at time.Time) {
	t.Helper()
	if err := p.Revoke(t.Context(), id, at); err != nil {
		t.Fatal(err)
	}
}

// logTo shows what was logged if the test fails.
func logTo(t testing.TB) zerolog.Logger {
	var log logged.Log
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logged:\n%s", log.String())
		}
	})
	return zerolog.New(&log)
}
