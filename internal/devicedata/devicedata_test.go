package devicedata_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/devicedata"
	"warmline.dev/internal/proctest"
	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const esn = "WLTV-SAM-2021-Q80-7F3A09C41B2E"

func open(t *testing.T, url string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(bus.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func keyring(t *testing.T) *device.Keyring {
	t.Helper()
	r, err := device.NewKeyring(passport.NewKey("d1"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// table says that every TV is of a category.
func table(t *testing.T, version uint64, of device.Category) *device.Table {
	t.Helper()
	made, err := device.NewTable(version, time.Now(), []device.Row{{Prefix: "WLTV-", Type: device.Type{ID: "it", Category: of, Name: "it"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func follow(t *testing.T, b *bus.Bus, cfg devicedata.Config) *devicedata.Devices {
	t.Helper()
	d, err := devicedata.Follow(b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// begin begins to publish, and is closed at the end of the test at the latest.
func begin(t *testing.T, b *bus.Bus, cfg devicedata.PublisherConfig) *devicedata.Publisher {
	t.Helper()
	p, err := devicedata.Publish(b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func published(t *testing.T, b *bus.Bus, cfg devicedata.PublisherConfig) *devicedata.Publisher {
	t.Helper()
	p := begin(t, b, cfg)
	if err := p.Told(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	return p
}

func uses(t *testing.T, d *devicedata.Devices, version uint64, of device.Category) {
	t.Helper()
	await.Until(t, "the gateway to use another version", func() bool { return d.Version() == version })
	if got := d.Lookup(esn, "").Category; got != of {
		t.Errorf("version %d says %v, want %v", version, got, of)
	}
}

// A new version reaches who listens and who comes later. One that somebody else has
// signed changes nothing.
func TestANewVersionReachesGateways(t *testing.T) {
	b, ring := open(t, ""), keyring(t)
	early := follow(t, b, devicedata.Config{Keyring: ring})
	pinned := follow(t, b, devicedata.Config{Keyring: ring, Version: 1})
	uses(t, early, 1, device.TV)
	p := published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: table(t, 2, device.Console)})
	uses(t, early, 2, device.Console)
	if snapshot, delta := p.Size(); snapshot == 0 || delta == 0 {
		t.Errorf("a snapshot of %d bytes, a delta of %d", snapshot, delta)
	}
	uses(t, follow(t, b, devicedata.Config{Keyring: ring}), 2, device.Console)

	forger := published(t, b, devicedata.PublisherConfig{Keyring: keyring(t), Table: table(t, 3, device.Phone), From: table(t, 2, device.Console)})
	await.Until(t, "the gateway to refuse", func() bool { return early.Stats().Refused >= 2 })
	forger.Close()
	uses(t, early, 2, device.Console)

	uses(t, pinned, 1, device.TV)
	if err := pinned.Pin(2); err != nil {
		t.Error(err)
	}
	uses(t, pinned, 2, device.Console)
}

// Who is pinned to the version before has it from the publisher of the next, whichever
// was there first.
func TestAPinnedVersionIsAskedFor(t *testing.T) {
	b, ring := open(t, ""), keyring(t)
	two, three := table(t, 2, device.Console), table(t, 3, device.Phone)
	early := follow(t, b, devicedata.Config{Keyring: ring, Version: 2, Every: 10 * time.Millisecond})
	uses(t, early, 1, device.TV)
	await.Until(t, "it to have asked in vain", func() bool { return early.Stats().Asked > 0 })
	published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: three, From: two})
	uses(t, early, 2, device.Console)
	uses(t, follow(t, b, devicedata.Config{Keyring: ring, Version: 2}), 2, device.Console)
	uses(t, follow(t, b, devicedata.Config{Keyring: ring}), 3, device.Phone)
}

func TestAVersionThatIsNotNewer(t *testing.T) {
	b, ring := open(t, ""), keyring(t)
	two := table(t, 2, device.Console)
	for _, c := range []struct {
		cfg  devicedata.PublisherConfig
		want string
	}{
		{devicedata.PublisherConfig{Keyring: ring, Table: table(t, 1, device.Phone)}, "it is version 1, and built in is 1"},
		{devicedata.PublisherConfig{Keyring: ring, Table: two, From: two}, "it is version 2, and --from is 2"},
		{devicedata.PublisherConfig{Keyring: ring, Table: table(t, 4, device.Phone), From: two}, "expected 3"},
		{devicedata.PublisherConfig{Table: two}, "expected a table, and keys"},
		{devicedata.PublisherConfig{Keyring: ring}, "expected a table, and keys"},
	} {
		if _, err := devicedata.Publish(b, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q in it", err, c.want)
		}
	}
	tomorrow, err := device.NewTable(2, time.Now().Add(48*time.Hour), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := devicedata.Publish(b, devicedata.PublisherConfig{Keyring: ring, Table: tomorrow}); !errors.Is(err, device.ErrMalformed) {
		t.Errorf("made in two days: %v", err)
	}
	if _, err := devicedata.Follow(b, devicedata.Config{}); err == nil {
		t.Error("a gateway without keys was made")
	}

	// Gateways would refuse these too, because of what others have published.
	published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: table(t, 3, device.Phone)})
	for of, want := range map[*device.Table]string{
		two:                        "and 3 is published already",
		table(t, 3, device.Tablet): "another table is published as version 3 already",
	} {
		err := begin(t, b, devicedata.PublisherConfig{Keyring: ring, Table: of}).Told(await.Context(t))
		if !errors.Is(err, devicedata.ErrNotNewer) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}

// The snapshot is repeated without a question, and however many ask, it is not given to
// each; who asks for nonsense gets nothing.
func TestRepeatsAndQuestions(t *testing.T) {
	b, ring := open(t, ""), keyring(t)
	var count atomic.Int64
	if _, err := b.Subscribe(devicedata.Subject, func(string, []byte) { count.Add(1) }, func() {}); err != nil {
		t.Fatal(err)
	}
	p := published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: table(t, 2, device.Console), Every: 10 * time.Millisecond})
	await.Until(t, "three to be repeated", func() bool { return count.Load() >= 2+3 })
	p.Close()
	p.Close()

	quiet := published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: table(t, 3, device.Console)})
	defer quiet.Close()
	ask := func(text string) {
		t.Helper()
		if err := b.Publish(await.Context(t), devicedata.AskSubject, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	before := count.Load()
	for _, nonsense := range []string{"", "-1", "x", "7", "1", strings.Repeat("0", 60_000)} {
		ask(nonsense)
	}
	const questions = 1000
	for range questions {
		ask("0")
	}
	await.Until(t, "an answer", func() bool { return count.Load() > before })
	if got := count.Load() - before; got > questions/10 {
		t.Errorf("%d answers to %d questions", got, questions)
	}
}

// The bus goes, and comes back: what was to be published meanwhile is.
func TestTheBusComesBack(t *testing.T) {
	server, address := proctest.NATS(t, "-1")
	ring, url := keyring(t), "nats://"+address
	gateway := follow(t, open(t, url), devicedata.Config{Keyring: ring})
	two := table(t, 2, device.Console)
	b := open(t, url)
	published(t, b, devicedata.PublisherConfig{Keyring: ring, Table: two})
	uses(t, gateway, 2, device.Console)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-server.Ended
	await.Until(t, "the bus to be lost", func() bool { return !b.Status().Connected })
	next := begin(t, b, devicedata.PublisherConfig{Keyring: ring, Table: table(t, 3, device.Phone), From: two})
	_, port, _ := strings.Cut(address, ":")
	proctest.NATS(t, port)
	if err := next.Told(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	uses(t, gateway, 3, device.Phone)
	uses(t, follow(t, open(t, url), devicedata.Config{Keyring: ring}), 3, device.Phone)
}
