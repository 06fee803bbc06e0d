package edgelayer_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// mill is a service that can do so much and no more: eight calls at a time, each
// for 20 ms, which is 400 a second.
func mill() edgelayer.Service {
	stones := make(chan struct{}, 8)
	return edgelayer.Service{Name: "mill", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("grind", func(ctx context.Context, _ struct{}) (bool, error) {
			select {
			case stones <- struct{}{}:
				time.Sleep(20 * time.Millisecond)
				<-stones
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}, edgelayer.Reads()),
	}}
}

// offered is what came of calls at a steady rate, each with 600 ms of time.
type offered struct {
	done, refused, failed atomic.Int64

	mu   sync.Mutex
	took []time.Duration // those that were answered; guarded by mu
}

func (o *offered) p99() time.Duration {
	slices.Sort(o.took)
	return o.took[len(o.took)*99/100].Round(time.Millisecond)
}

func (l *line) offer(perSecond int, lasts time.Duration) *offered {
	const step, patience = 10 * time.Millisecond, 600 * time.Millisecond
	var o offered
	var wg sync.WaitGroup
	tick := time.NewTicker(step)
	defer tick.Stop()
	begun, sent := time.Now(), 0
	for time.Since(begun) < lasts {
		for ; sent < int(time.Since(begun).Seconds()*float64(perSecond)); sent++ {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				sent := time.Now()
				md := protocol.Metadata{Route: "mill.grind", Budget: patience}
				switch _, err := l.conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil)}); {
				case err == nil:
					o.done.Add(1)
					o.mu.Lock()
					o.took = append(o.took, time.Since(sent))
					o.mu.Unlock()
				case protocol.AsError(err).Code == protocol.Overloaded:
					o.refused.Add(1)
				default:
					o.failed.Add(1)
				}
			})
		}
		<-tick.C
	}
	wg.Wait()
	return &o
}

// alone reports whether the machine is the test's own, as CI's step for load has
// it: then bounds are what they are to be. Beside other packages' tests they only
// tell a limit from none.
func alone() bool { return os.Getenv("WARMLINE_LOAD") != "" }

// At twice the load it can carry an edge goes on with what it can: without a limit
// every call waits for longer than it has time, and nearly none is answered.
func TestAnEdgeThatIsOverloadedRefusesAndGoesOn(t *testing.T) {
	const lasts = 3 * time.Second
	goodput := map[string]int64{}
	for name, tt := range map[string]struct{ perSecond, most int }{
		"all it can carry":         {400, 100},
		"twice that":               {800, 100},
		"twice that, and no limit": {800, -1},
	} {
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{mill()}, MaxAtOnce: tt.most})
		o := e.dial("").offer(tt.perSecond, lasts)
		goodput[name] = o.done.Load()
		t.Logf("%s: %d calls/s offered, %d/s answered, p99 %v, %d refused, %d failed", name, tt.perSecond,
			int(float64(o.done.Load())/lasts.Seconds()), o.p99(), o.refused.Load(), o.failed.Load())
		if tt.most < 0 {
			if o.failed.Load() < o.done.Load() {
				t.Error("more calls were answered than not without a limit: this test shows nothing")
			}
			continue
		}
		if n := o.failed.Load(); alone() && n*50 > o.done.Load() {
			t.Errorf("%s: %d calls were let in and not answered in time", name, n)
		}
		if got := e.Stats(); got.Refused != o.refused.Load() || got.AtOnce < 64 {
			t.Errorf("%s: the edge counts %d refused, its limit is %d", name, got.Refused, got.AtOnce)
		}
	}
	peak, twice := goodput["all it can carry"], goodput["twice that"]
	if twice*10 < peak*9 && alone() || twice*2 < peak {
		t.Errorf("%d calls were answered at twice the load, and %d at the load it can carry", twice, peak)
	}
}

func TestWhatIsRefusedWhenAnEdgeIsFull(t *testing.T) {
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxAtOnce: 2})
	l := e.dial("")
	const full = "ERROR overloaded this edge runs 2 calls, as many as it can: ask another, or come back in a second"
	for i := range int64(10) { // who asks nothing keeps no place from others
		l.converse()
		await.Until(t, "the conversation", func() bool { return e.Stats().Conversations == i+1 })
	}
	a := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	b := l.converse(`[1,1,"gate.wait",{"n":2}]`)
	g.wantEntered(t, 2)
	l.want("echo.say", `{"text":"x"}`, full)
	l.converse(`[1,1,"echo.say",{"text":"x"}]`).want(full)
	l.want("warmline.setup", "", "…") // whether it is well can always be asked
	a.say(`[1,2,"echo.say",{"text":"let in"}]`)
	a.want(`[3,2,{"text":"let in"}]`)
	g.letGo(2)
	b.want(`[3,1,{"n":2}]`)
	l.want("echo.say", `{"text":"x"}`, `{"text":"x"}`)          // b has given its place back
	for _, method := range []string{"echo.none", "gate.read"} { // nor does what fails before it runs
		l.converse(fmt.Sprintf(`[1,1,%q,{"n":"x"}]`, method)).want("[4,1,…")
		l.want("echo.say", `{"text":"x"}`, `{"text":"x"}`)
	}
	g.letGo(1)
	a.want(`[3,1,{"n":1}]`)
	if n := e.Stats().Refused; n != 2 {
		t.Errorf("%d refused, want 2", n)
	}
}

// A peer that honours leases is told in advance how much there is for it: what is
// too much waits, or gives up, on its own side. While the edge refuses that is little,
// whoever it is that was refused.
func TestLeasesAreForLessWhileAnEdgeRefuses(t *testing.T) {
	const burst = 100
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxAtOnce: 1})
	l, honours := e.dial(""), e.dialBy(rsocket.Config{LeaseRequests: 1})
	arrived := func(l *line) int64 {
		before := e.Stats().Calls
		var wg sync.WaitGroup
		for range burst {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				md := protocol.Metadata{Route: "echo.say"}
				_, _ = l.conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil)}) // what counts is that it was sent
			})
		}
		wg.Wait()
		return e.Stats().Calls - before
	}
	l.converse(`[1,1,"gate.hold",{"n":1}]`)
	g.wantEntered(t, 1)
	await.Until(t, "leases for less", func() bool {
		l.want("echo.say", "", "ERROR overloaded …")
		return arrived(honours) < burst/2
	})
	await.Until(t, "all calls of a peer without leases", func() bool { return arrived(l) == burst })
	g.letGo(1)
}

// The same in figures, on a machine of its own.
func TestLeasesTellWhatAnEdgeCarries(t *testing.T) {
	if !alone() {
		t.Skip("it needs the machine to itself: WARMLINE_LOAD=30s says that it has it")
	}
	const lasts = 3 * time.Second
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{mill()}, MaxAtOnce: 100})
	none := e.dial("").offer(800, lasts)
	e = start(t, edgelayer.Config{Services: []edgelayer.Service{mill()}, MaxAtOnce: 100})
	honours := e.dialBy(rsocket.Config{LeaseRequests: 1}).offer(800, lasts)
	t.Logf("without leases: %d answered, %d refused; with: %d answered, %d refused, %d not sent in time",
		none.done.Load(), none.refused.Load(), honours.done.Load(), honours.refused.Load(), honours.failed.Load())
	if honours.refused.Load()*2 > none.refused.Load() {
		t.Errorf("%d calls were refused to a peer that honours leases, %d to one that does not", honours.refused.Load(), none.refused.Load())
	}
	if honours.done.Load()*4 < none.done.Load()*3 {
		t.Errorf("%d calls were answered to a peer that honours leases, %d to one that does not", honours.done.Load(), none.done.Load())
	}
}

// A source that hangs holds those that ask it, and nobody else: who waits for it does
// not count among the calls that keep the edge busy.
func TestCallsThatWaitForASourceAreNoOverload(t *testing.T) {
	hold := make(chan struct{})
	films, err := warm.New(warm.Config[string]{Source: "films", Name: "film", Load: func(context.Context, []string) (map[string]string, error) {
		<-hold
		return map[string]string{"17": "Metropolis"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer films.Close()
	slow := edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("film", func(ctx context.Context, _ struct{}) (string, error) { return films.Get(ctx, "17") }, edgelayer.Reads()),
	}}
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{slow, echo()}, MaxAtOnce: 2})
	l := e.dial("")
	var waiting []*conversation
	for i := range 50 {
		waiting = append(waiting, l.converse(`[1,1,"films.film",{}]`))
		await.Until(t, "it waits", func() bool { return films.Stats().Misses == int64(i+1) })
	}
	l.want("echo.say", "", `{"text":""}`)
	c := l.converse(`[1,1,"echo.say",{"text":"hello"}]`)
	c.want(`[3,1,{"text":"hello"}]`)
	if n := e.Stats().Refused; n != 0 {
		t.Errorf("%d were refused", n)
	}
	close(hold)
	for _, c := range waiting {
		c.want(`[3,1,"Metropolis"]`)
	}
}
