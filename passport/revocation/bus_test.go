package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/internal/proctest"
	"warmline.dev/passport/revocation"
)

// From "sign out all devices" to refusal at every gateway, over a real bus.
func TestSignedOutEverywhere(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	p := newPublisher(t, host, nil)
	var gateways []*gateway
	for range 3 {
		gateways = append(gateways, newGateway(t, open(t, host.Status().URL)))
	}
	for _, g := range gateways {
		g.ready(t)
	}
	issued := time.Now()
	begun := time.Now()
	if err := p.Take(t.Context(), fmt.Appendf(nil, `{"customer":"c-1001","at":%d}`, issued.UnixMilli())); err != nil {
		t.Fatal(err)
	}
	for _, g := range gateways {
		g.refuses(t, "c-1001", issued)
		passes(t, g.Set, issued, "c-1002")
		passes(t, g.Set, issued.Add(10*time.Second), "c-1001") // signed in again
		complete(t, g.Set, true)
	}
	t.Logf("refused everywhere after %v", time.Since(begun))
	if err := p.Flush(await.Context(t)); err != nil {
		t.Fatal(err)
	}

	late := newGateway(t, open(t, host.Status().URL))
	late.ready(t)
	revoked(t, late.Set, issued, "c-1001")
}

// The bus dies with everybody on it and comes back: what happened meanwhile is told.
func TestTheBusIsLostAndBack(t *testing.T) {
	process, address := proctest.NATS(t, "-1")
	url := "nats://" + address
	p := newPublisher(t, open(t, url), nil)
	var gateways []*gateway
	for range 3 {
		gateways = append(gateways, newGateway(t, open(t, url)))
	}
	issued := time.Now()
	revoke(t, p, "before", issued)
	for _, g := range gateways {
		g.ready(t)
		g.refuses(t, "before", issued)
	}
	process.Signal(syscall.SIGKILL)
	await.Value(t, "nats-server ends", process.Ended)
	revoke(t, p, "meanwhile", issued)
	if err := p.Flush(await.Context(t)); !errors.Is(err, revocation.ErrNotTold) {
		t.Errorf("Flush without a bus: %v", err)
	}
	for _, g := range gateways {
		revoked(t, g.Set, issued, "before")
		passes(t, g.Set, issued, "meanwhile") // who could have told?
	}
	proctest.NATS(t, address[strings.LastIndexByte(address, ':')+1:])
	back := time.Now()
	for _, g := range gateways {
		g.refuses(t, "meanwhile", issued)
		g.completes(t)
	}
	t.Logf("refused everywhere %v after the bus was back", time.Since(back))
	revoke(t, p, "after", issued)
	for _, g := range gateways {
		g.refuses(t, "after", issued)
	}
}

// One gateway is cut off, and hears of what it missed when it is back.
func TestOneGatewayIsCutOff(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	p := newPublisher(t, host, nil)
	proxy := cut.New(t, "")
	g := newGateway(t, open(t, proxy.Before(t, host.Status().URL)))
	g.ready(t)
	issued := time.Now()
	for n := range 3 {
		target := proxy.Lead("")
		proxy.Cut()
		id := customer(n)
		revoke(t, p, id, issued)
		if err := p.Flush(await.Context(t)); err != nil { // told, and not to this one
			t.Fatal(err)
		}
		passes(t, g.Set, issued, id)
		proxy.Lead(target)
		g.refuses(t, id, issued)
		g.completes(t)
	}
	if st := g.Stats(); st.Gaps < 4 || st.Snapshots < 3 {
		t.Errorf("%+v", st)
	}
}

// A large window over a real bus, to a gateway that starts late.
func TestALateGatewayGetsAll(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	w := newWindow(t, "")
	at := time.Now().Add(-time.Hour)
	for n := range 30_000 {
		w.Add(customer(n), at)
	}
	newPublisher(t, host, w)
	g := newGateway(t, open(t, host.Status().URL))
	g.ready(t)
	for n := range 30_000 {
		if !g.Revoked(customer(n), at) {
			t.Fatalf("customer %d passes", n)
		}
	}
	if st := g.Stats(); st.Entries != 30_000 || st.FilterBytes == 0 || st.Stale {
		t.Errorf("%+v", st)
	}
}

// A publisher is replaced by one that has nothing of what it knew.
func TestAPublisherIsReplaced(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	at := time.Now().Add(-time.Hour)
	old := newPublisher(t, host, nil)
	first := newGateway(t, open(t, host.Status().URL))
	for n := range 100 {
		revoke(t, old, customer(n), at)
	}
	if err := old.Flush(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	first.ready(t)
	next := newPublisher(t, open(t, host.Status().URL), nil)
	revoke(t, next, "told by the new one", at)
	await.Until(t, "the new one answers for all", func() bool { return next.Stats().Ready })
	revoke(t, old, "told by the old one at last", at)
	if err := old.Flush(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	old.Close()
	if err := old.Revoke(context.Background(), "a", at); !errors.Is(err, revocation.ErrClosed) {
		t.Errorf("Revoke when closed: %v", err)
	}
	if err := old.Flush(context.Background()); !errors.Is(err, revocation.ErrClosed) {
		t.Errorf("Flush when closed: %v", err)
	}
	first.refuses(t, "told by the new one", at)
	await.Until(t, "the new one has it all", func() bool { return next.Stats().Window.Entries == 102 })

	late := newGateway(t, open(t, host.Status().URL))
	late.ready(t)
	for _, g := range []*gateway{first, late} {
		g.completes(t)
		for n := range 100 {
			revoked(t, g.Set, at, customer(n))
		}
		revoked(t, g.Set, at, "told by the new one", "told by the old one at last")
	}
	if st := first.Stats(); st.Entries != 102 {
		t.Errorf("%+v", st)
	}
}
