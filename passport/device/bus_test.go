package device_test

import (
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

// publisher publishes versions on a bus, and the snapshot when somebody asks.
type publisher struct {
	t       *testing.T
	bus     *bus.Bus
	keyring *device.Keyring
	current chan *device.Table // holds the one that is published last
}

const (
	published = "warmline.devices"
	asking    = "warmline.devices.ask"
)

func newPublisher(t *testing.T, b *bus.Bus, r *device.Keyring, first *device.Table) *publisher {
	t.Helper()
	p := &publisher{t: t, bus: b, keyring: r, current: make(chan *device.Table, 1)}
	p.current <- first
	inForce := make(chan struct{}, 1)
	_, err := b.Subscribe(asking, func(string, []byte) {
		now := <-p.current
		p.current <- now
		sealed, err := r.SealSnapshot(now)
		if err != nil {
			t.Error(err)
		}
		_ = b.Publish(await.Context(t), published, sealed)
	}, func() { inForce <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	await.Value(t, "the publisher hears", inForce)
	return p
}

func (p *publisher) publish(next *device.Table) {
	p.t.Helper()
	sealed := delta(p.t, p.keyring, <-p.current, next)
	p.current <- next
	if err := p.bus.Publish(await.Context(p.t), published, sealed); err != nil {
		p.t.Error(err)
	}
}

// follow has devices take what is published on a bus, as a gateway does.
func follow(t *testing.T, b *bus.Bus, c device.Config) *device.Devices {
	t.Helper()
	c.Ask = func(uint64) { _ = b.Publish(await.Context(t), asking, nil) }
	d := holding(t, c)
	if _, err := b.Subscribe(published, func(_ string, data []byte) { _ = d.Take(data) }, d.Gap); err != nil {
		t.Fatal(err)
	}
	return d
}

// Deltas reach every gateway on a bus. One that starts late, and one that began with
// another table, has the snapshot.
func TestGatewaysOnABus(t *testing.T) {
	b, err := bus.Open(bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := keyring(t, passport.NewKey("a"))
	v := chain(t, 4)
	p := newPublisher(t, b, r, v[1])
	gateways := []*device.Devices{
		follow(t, b, device.Config{Keyring: r, Table: v[0]}),
		follow(t, b, device.Config{Keyring: r, Table: table(t, 2, row("NOW-", "mine"))}), // version 2 too, and another one
		follow(t, b, device.Config{Keyring: r}),
	}
	wantAll := func(version int) {
		t.Helper()
		for n, d := range gateways {
			await.Until(t, "every gateway has what is published", func() bool { return d.Table().Digest() == v[version-1].Digest() })
			if d.Version() != uint64(version) {
				t.Errorf("gateway %d has version %d", n, d.Version())
			}
		}
	}
	for n, d := range gateways {
		await.Until(t, "every gateway has asked, and was answered", func() bool { return d.Stats().Asked > 0 && (n == 1 || d.Version() == 2) })
	}
	p.publish(v[2])
	wantAll(3)
	gateways = append(gateways, follow(t, b, device.Config{Keyring: r}))
	wantAll(3)
	p.publish(v[3])
	wantAll(4)
}
