package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// What a gateway gets in a minute of 240 changes, beside what a snapshot has.
func TestBytesPerGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := newRoom(), newWindow(t, "")
		at := time.Now().Add(-time.Hour)
		for n := range ids {
			w.Add(customer(n), at)
		}
		p := newPublisher(t, r, w)
		const gateways = 3
		var all []*gateway
		for range gateways {
			all = append(all, newGateway(t, r))
		}
		time.Sleep(5 * time.Second)
		for _, g := range all {
			complete(t, g.Set, true)
		}
		before := p.Stats()
		heard := func() (changes, snapshots int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.heard[revocation.ChangeSubject], r.heard[revocation.SnapshotSubject]
		}
		changes, snapshots := heard()
		issued := time.Now()
		for n := range 240 {
			revoke(t, p, customer(ids+n), time.Now())
			time.Sleep(250 * time.Millisecond)
		}
		synctest.Wait()
		changesNow, snapshotsNow := heard()
		perGateway := (changesNow - changes) / (gateways + 1) // the publisher hears them, too
		st := p.Stats()
		told := st.Snapshots - before.Snapshots
		if told == 0 {
			t.Fatal("no snapshot was told in a minute")
		}
		snapshot := int(st.SnapshotBytes-before.SnapshotBytes) / int(told)
		t.Logf("%d bytes a gateway in a minute, in %d messages; a snapshot has %d: 1/%d (of the filter's 270 kB: 1/%d)",
			perGateway, st.Changes-before.Changes+st.Beats-before.Beats, snapshot, snapshot/perGateway, 270_000/perGateway)
		if perGateway == 0 || perGateway > snapshot/20 {
			t.Errorf("%d bytes a gateway, expected at most 1/20 of %d", perGateway, snapshot)
		}
		if snapshotsNow != snapshots {
			t.Errorf("%d bytes of snapshots went to gateways that miss nothing", snapshotsNow-snapshots)
		}
		for _, g := range all {
			complete(t, g.Set, true)
			for n := range 240 {
				revoked(t, g.Set, issued, customer(ids+n))
			}
		}
	})
}

func TestEventsOfAMomentAreToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p, g := newPublisher(t, r, nil), newGateway(t, r)
		time.Sleep(2 * time.Second)
		now := time.Now()
		for n := range 50 {
			revoke(t, p, customer(n), now.Add(-time.Minute))
			revoke(t, p, customer(n), now)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		revoked(t, g.Set, now, customer(0), customer(49))
		if n := g.Stats().Changes; n != 1 {
			t.Errorf("told in %d messages", n)
		}
		for range 3 { // as an event stream may say it again
			revoke(t, p, customer(7), now)
		}
		time.Sleep(time.Second)
		if st := p.Stats(); st.Changes != 1 || st.Told != 1 || st.Window.Known != 3 || st.Window.Entries != 50 {
			t.Errorf("what is known is told again: %+v", st)
		}
		complete(t, g.Set, true)
	})
}

// Everybody is signed out.
func TestMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p, g := newPublisher(t, r, newWindow(t, "")), newGateway(t, r)
		time.Sleep(2 * time.Second)
		now := time.Now()
		var all sync.WaitGroup
		for part := range 4 {
			all.Go(func() {
				for n := range 10_000 {
					revoke(t, p, customer(10_000*part+n), now)
				}
			})
		}
		all.Wait()
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		complete(t, g.Set, true)
		if st := g.Stats(); st.Entries != 40_000 || st.FilterBytes == 0 {
			t.Errorf("%+v", st)
		}
		for n := range 40_000 {
			if !g.Revoked(customer(n), now) {
				t.Fatalf("customer %d passes", n)
			}
		}
	})
}

// While the bus is away nothing is lost, and afterwards little is told as it was and
// much as a snapshot.
func TestWithoutABus(t *testing.T) {
	for much, n := range map[bool]int{false: 3, true: 200} {
		synctest.Test(t, func(t *testing.T) {
			r := newRoom()
			p, g := newPublisher(t, r, nil), newGateway(t, r)
			time.Sleep(3 * time.Second) // a snapshot that was asked for twice is told twice by now
			complete(t, g.Set, true)
			r.isCut(true, false)
			now := time.Now()
			for i := range n {
				revoke(t, p, customer(i), now)
				time.Sleep(10 * time.Millisecond)
			}
			if err := p.Flush(t.Context()); !errors.Is(err, revocation.ErrNotTold) || !errors.Is(err, errCut) {
				t.Errorf("Flush: %v", err)
			}
			if st := p.Stats(); st.Window.Synced < 2 || st.Failures == 0 {
				t.Errorf("not on disk: %+v", st)
			}
			time.Sleep(40 * time.Second)
			complete(t, g.Set, false)
			passes(t, g.Set, now, customer(0))
			if age := g.Age(); age < 39*time.Second {
				t.Errorf("age %v", age)
			}
			before := g.Stats()
			r.isCut(false, much) // that a message failed is all the publisher knows
			time.Sleep(2 * time.Second)
			complete(t, g.Set, true)
			for i := range n {
				revoked(t, g.Set, now, customer(i))
			}
			st := g.Stats()
			if much && st.Snapshots == before.Snapshots || !much && (st.Snapshots > before.Snapshots || st.Changes != before.Changes+3) {
				t.Errorf("%+v", st)
			}
			if g.Age() > 3*time.Second {
				t.Errorf("age %v", g.Age())
			}
		})
	}
}

// A bus that takes its time does not keep a publisher from ending.
func TestCloseWaitsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p := newPublisher(t, slow{r, 900 * time.Millisecond}, nil)
		time.Sleep(5 * time.Second)
		r.isCut(true, false)
		for n := range 10 {
			revoke(t, p, customer(n), time.Now())
			time.Sleep(2 * time.Second)
		}
		r.isCut(false, false)
		begun := time.Now()
		p.Close()
		if d := time.Since(begun); d > time.Second {
			t.Errorf("it took %v", d)
		}
		if n := p.Stats().Told; n < 1 || n > 2 {
			t.Errorf("%d changes were told", n)
		}
	})
}

// slow is a bus that takes a message after a while.
type slow struct {
	*room
	after time.Duration
}

func (s slow) Publish(ctx context.Context, subject string, data []byte) error {
	select {
	case <-time.After(s.after):
		return s.room.Publish(ctx, subject, data)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A publisher that is started again with its file, and a gateway that holds the same:
// no snapshot crosses the bus.
func TestAPublisherIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, path := newRoom(), filepath.Join(t.TempDir(), "window")
		now := time.Now()
		w := openWindow(t, path)
		p, g := newPublisher(t, r, w), newGateway(t, r)
		for n := range 10 {
			revoke(t, p, customer(n), now)
		}
		time.Sleep(2 * time.Second)
		complete(t, g.Set, true)
		revoke(t, p, "at last", now) // is told when it is closed
		p.Close()
		p.Close()
		closeWindow(t, w)
		synctest.Wait()
		revoked(t, g.Set, now, "at last")
		snapshots := g.Stats().Snapshots

		w = openWindow(t, path)
		defer closeWindow(t, w)
		p = newPublisher(t, r, w)
		defer p.Close()
		if n := p.Stats().Window.Entries; n != 11 {
			t.Errorf("%d entries", n)
		}
		time.Sleep(50 * time.Second) // the old one is forgotten
		complete(t, g.Set, true)
		revoke(t, p, "by the new one", now)
		time.Sleep(time.Second)
		complete(t, g.Set, true)
		revoked(t, g.Set, now, "by the new one", "at last", customer(3))
		if st := g.Stats(); st.Snapshots != snapshots || st.Publishers != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// A new publisher answers for all when it has what the old one has, and not before.
func TestANewPublisherListensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		now := time.Now()
		old := newPublisher(t, r, nil)
		for n := range 10 {
			revoke(t, old, customer(n), now)
		}
		time.Sleep(2 * time.Second)
		if st := old.Stats(); !st.Ready || st.Snapshots != 0 || st.Asks != 0 {
			t.Errorf("it answers itself: %+v", st)
		}
		next := newPublisher(t, r, nil)
		g := newGateway(t, r) // asks both
		time.Sleep(900 * time.Millisecond)
		if st := next.Stats(); st.Ready || st.Beats+st.Snapshots > 0 || st.Asks == 0 {
			t.Errorf("it answers for all: %+v", st)
		}
		time.Sleep(2 * time.Second)
		complete(t, g.Set, true)
		revoked(t, g.Set, now, customer(9))
		if st := next.Stats(); !st.Ready || st.Window.Entries != 10 || st.Others != 1 {
			t.Errorf("%+v", st)
		}
		// What both follow is told once by each, and they don't tell each other for ever.
		r.mu.Lock()
		clear(r.bytes)
		r.mu.Unlock()
		for _, p := range []*revocation.Publisher{old, next} {
			revoke(t, p, "both", now)
		}
		time.Sleep(time.Second)
		told := next.Stats().Told
		revoke(t, old, "one", now)
		time.Sleep(4 * time.Second)
		if n := next.Stats().Told; n != told+1 {
			t.Errorf("what the old one tells: the new one has told %d, and %d before", n, told)
		}
		if a, b := old.Stats(), next.Stats(); a.Window.Entries != 12 || b.Window.Entries != 12 {
			t.Errorf("%+v\n%+v", a, b)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if n := r.bytes[revocation.ChangeSubject]; n > 1000 {
			t.Errorf("%d bytes", n)
		}
	})
}

// A gateway that was back first has asked in vain.
func TestAPublisherSpeaksWhenTheBusIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p := newPublisher(t, r, nil)
		time.Sleep(2 * time.Second)
		r.isCut(true, false)
		time.Sleep(time.Second)
		before := p.Stats().Beats
		r.isCut(false, true)
		synctest.Wait()
		if n := p.Stats().Beats; n != before+1 {
			t.Errorf("%d beats, expected %d", n, before+1)
		}
	})
}

// Two that begin at once don't wait for each other.
func TestTwoNewPublishers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		a, b, g := newPublisher(t, r, nil), newPublisher(t, r, nil), newGateway(t, r)
		now := time.Now()
		revoke(t, a, "a", now)
		revoke(t, b, "b", now)
		time.Sleep(15 * time.Second)
		for _, p := range []*revocation.Publisher{a, b} {
			if st := p.Stats(); !st.Ready || st.Window.Entries != 2 {
				t.Errorf("%+v", st)
			}
		}
		complete(t, g.Set, true)
		revoked(t, g.Set, now, "a", "b")
	})
}

func TestAsksAreBoundedAndVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p := newPublisher(t, r, nil)
		time.Sleep(2 * time.Second)
		asker := newTeller(77)
		send := func(data []byte) {
			t.Helper()
			if err := r.Publish(t.Context(), revocation.AskSubject, data); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		before := p.Stats()
		forged := newTeller(78)
		forged.Key = passport.NewKey("2026-11")
		send(forged.Ask())
		send([]byte("give me all"))
		send(asker.Change(revocation.Entry{ID: "a", At: time.Now()}))
		head := strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x01", 3)
		send(asker.Sign(4, []byte(head+head[:8])))                      // half a mark
		send(asker.Sign(4, []byte(head+strings.Repeat("\x00", 17*16)))) // too many
		if st := p.Stats(); st.Refused-before.Refused != 5 || st.Asks != before.Asks || st.Snapshots != before.Snapshots || st.Window.Entries != 0 {
			t.Errorf("%+v", st)
		}
		send(asker.Sign(4, []byte(head+strings.Repeat("\x00", 16*16))))
		if n := p.Stats().Asks - before.Asks; n != 1 {
			t.Errorf("%d asks, with as many marks as may be", n)
		}
		for range 400 {
			send(asker.Ask())
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		if n := p.Stats().Snapshots - before.Snapshots; n < 2 || n > 3 {
			t.Errorf("%d snapshots for 400 asks within 2 s", n)
		}
		if n := p.Stats().Beats - before.Beats; n < 10 || n > 22 {
			t.Errorf("%d beats for 400 asks within 2 s", n)
		}
	})
}

func TestAGatewayAsksAgainUntilSomebodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		g := newGateway(t, r)
		time.Sleep(10 * time.Minute)
		complete(t, g.Set, false)
		if !g.Stale() {
			t.Error("not stale")
		}
		r.mu.Lock()
		asked := r.bytes[revocation.AskSubject]
		r.mu.Unlock()
		if asked == 0 || asked > 80*80 {
			t.Errorf("%d bytes were asked", asked)
		}
		p := newPublisher(t, r, nil)
		revoke(t, p, "a", time.Now())
		time.Sleep(3 * time.Second)
		complete(t, g.Set, true)
	})
}

func TestWhatPublishersAndFollowersNeed(t *testing.T) {
	r, w := newRoom(), newWindow(t, "")
	for want, cfg := range map[string]revocation.PublisherConfig{
		"a Bus and a Window": {Keys: []passport.Key{key}, Bus: r},
		"a Window":           {Keys: []passport.Key{key}, Window: w},
		"Keys":               {Bus: r, Window: w},
		"Gather":             {Keys: []passport.Key{key}, Bus: r, Window: w, Gather: time.Minute},
	} {
		if p, err := revocation.NewPublisher(cfg); err == nil || p != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := revocation.Follow(revocation.FollowerConfig{Bus: r}); err == nil {
		t.Error("a follower without a set")
	}
	p := newPublisher(t, r, w)
	for _, id := range []string{"", strings.Repeat("x", 257)} {
		if err := p.Revoke(t.Context(), id, time.Now()); err == nil {
			t.Errorf("an id of %d bytes", len(id))
		}
	}
	if err := p.Take(t.Context(), []byte("{}")); err == nil {
		t.Error("an event of nobody")
	}
}

func ExampleSet() {
	keys := []passport.Key{passport.NewKey("2026-11")}
	set, err := revocation.NewSet(revocation.SetConfig{Keys: keys})
	if err != nil {
		panic(err)
	}
	// revocation.Follow gives it what the bus has; until then it knows nothing.
	fmt.Println(set.Stale(), set.Revoked("c-1001", time.Now()))
	// Output: true false
}
