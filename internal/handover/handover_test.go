package handover_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/handover"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// edge is an edge with a cache of films, and how often it asked its source.
type edge struct {
	films   *warm.Cache[protocol.Raw]
	asked   atomic.Int64
	shape   string
	address string
	deaf    error  // why it can't vouch for what it holds
	looked  func() // what happens whenever somebody asks for its caches
}

func newEdge(t *testing.T, keys *passport.Keyring) *edge {
	t.Helper()
	e := &edge{shape: "1", looked: func() {}}
	var err error
	e.films, err = warm.New(warm.Config[protocol.Raw]{Source: "catalogue", Name: "film", Load: func(_ context.Context, keys []string) (map[string]protocol.Raw, error) {
		e.asked.Add(1)
		found := map[string]protocol.Raw{}
		for _, k := range keys {
			if k == "large" {
				found[k], _ = protocol.MsgPack.Marshal(strings.Repeat("x", 600<<10))
			} else if k != "none" {
				found[k], _ = protocol.MsgPack.Marshal("film " + k)
			}
		}
		return found, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.films.Close)
	e.address = serve(t, keys, handover.Methods(e.memories, e.vouch)...)
	return e
}

// serve runs a server with methods of an edge's own, and returns its address.
func serve(t *testing.T, keys *passport.Keyring, own ...edgelayer.Method) (address string) {
	t.Helper()
	srv, err := edgelayer.New(edgelayer.Config{Keys: keys, Own: own})
	if err != nil {
		t.Fatal(err)
	}
	return serving.Start(t, srv.Serve, srv.Close)
}

func (e *edge) vouch(context.Context) error { return e.deaf }

func (e *edge) memories() []handover.Memory {
	e.looked()
	return []handover.Memory{{Name: "catalogue.film", Shape: e.shape, Cache: e.films}}
}

// warm makes it hold films, and some thousand bytes of each.
func (e *edge) warm(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		e.has(t, fmt.Sprint(i))
	}
}

func (e *edge) has(t *testing.T, key string) {
	t.Helper()
	raw, err := e.films.Get(t.Context(), key)
	var text string
	if err == nil {
		err = protocol.MsgPack.Unmarshal(raw, &text)
	}
	if err != nil || text != "film "+key && key != "large" {
		t.Errorf("%s: %q, %v", key, text, err)
	}
}

func newKeys(t *testing.T) *passport.Keyring {
	t.Helper()
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func quiet(int) {}

func TestAnEdgeThatStartsTakesWhatIsHot(t *testing.T) {
	keys := newKeys(t)
	old, young := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 5000)
	old.has(t, "large")
	if _, err := old.films.Get(t.Context(), "none"); err == nil {
		t.Error("no error")
	}
	var told int
	n, err := handover.Peers{Addresses: []string{old.address}, Keys: keys}.Fetch(t.Context(), young.memories(), func(taken int) { told = taken })
	if err != nil || n != 5000 || told != n {
		t.Fatalf("%d taken, %d told, %v", n, told, err)
	}
	young.warm(t, 5000)
	if n := young.asked.Load(); n != 0 {
		t.Errorf("the source was asked %d times", n)
	}
}

func TestAnEdgeThatStopsHandsOver(t *testing.T) {
	keys := newKeys(t)
	old, other := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 3000)
	other.warm(t, 10)
	n, err := handover.Peers{Addresses: []string{other.address}, Keys: keys}.HandOver(t.Context(), old.memories())
	if err != nil || n != 2990 {
		t.Fatalf("%d given, %v", n, err)
	}
	asked := other.asked.Load()
	other.warm(t, 3000)
	if other.asked.Load() != asked {
		t.Error("the source was asked")
	}
}

// Everything is asked for before it is known whether it can be vouched for.
func TestAnEdgeThatHearsNothingHandsNothingOver(t *testing.T) {
	keys := newKeys(t)
	old, young := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 10)
	old.deaf = errors.New("the bus is away")
	n, err := handover.Peers{Addresses: []string{old.address}, Keys: keys}.Fetch(t.Context(), young.memories(), quiet)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "the bus is away") {
		t.Errorf("%d taken, %v", n, err)
	}
}

// However long the handing over takes, nothing is taken that has changed meanwhile.
func TestWhatChangesOnItsWayIsNotTaken(t *testing.T) {
	for name, change := range map[string]func(e *edge){
		"one":        func(e *edge) { e.films.Drop("0") },
		"all":        func(e *edge) { e.films.Invalidate(warm.Invalidation{Source: "catalogue", All: true}) },
		"who knows?": func(e *edge) { e.films.DropAll() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := newKeys(t)
			old, other := newEdge(t, keys), newEdge(t, keys)
			old.warm(t, 5000)
			asked := 0
			other.looked = func() {
				if asked++; asked == 1 {
					change(other)
					change(old)
				}
				time.Sleep(700 * time.Millisecond) // less than a part may take
			}
			peers := handover.Peers{Addresses: []string{other.address}, Keys: keys}
			n, err := peers.HandOver(t.Context(), old.memories())
			if want := map[bool]int{true: 4999}[name == "one"]; err != nil || n != want || asked < 4 {
				t.Errorf("%d given in %d parts, %v, want %d", n, asked, err, want)
			}
		})
	}
}

// Who says nothing of when it looked, or what another was told, gives nothing.
func TestATimeThatIsNoneOfItsOwn(t *testing.T) {
	keys := newKeys(t)
	e := newEdge(t, keys)
	sealed, err := keys.Seal(passport.Passport{Origin: handover.Origin, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := nodelayer.Dial(t.Context(), nodelayer.Config{Edges: []string{e.address}, Name: "edge", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	ctx := passport.NewContext(t.Context(), passport.NewCarrier(sealed))
	conv := peer.Converse(ctx)
	defer conv.Close()
	type answer struct {
		Taken  int    `json:"taken"`
		Moment string `json:"moment"`
	}
	part := handover.Part{Cache: "catalogue.film", Shape: "1", Entries: []handover.Entry{{Key: "666", Value: []byte{0xC0}}}}
	give := func(since string) answer {
		t.Helper()
		part.Since = since
		a, err := nodelayer.Call[answer](ctx, conv, "edge.take", part)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	moment := give("").Moment
	name, _, _ := strings.Cut(moment, ".")
	for _, since := range []string{"", ".", name, name + ".", name + ".-1", name + ".9000000000000000000", name + ".x", "x" + moment} {
		if a := give(since); a.Taken != 0 || a.Moment == "" {
			t.Errorf("%q: %+v", since, a)
		}
	}
	if a := give(moment); a.Taken != 1 {
		t.Errorf("%+v", a)
	}
}

func TestWhatIsHandedOverIsBounded(t *testing.T) {
	keys := newKeys(t)
	old, young := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 5000)
	most := old.films.Stats().Bytes / 10
	n, err := handover.Peers{Addresses: []string{old.address}, Keys: keys, MaxBytes: most}.Fetch(t.Context(), young.memories(), quiet)
	if err != nil || n < 400 || n > 600 {
		t.Errorf("%d taken, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = handover.Peers{Addresses: []string{"tcp://127.0.0.1:1"}, Keys: keys}.Fetch(ctx, young.memories(), quiet)
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("nobody there: %v after %v", err, time.Since(start))
	}
	if _, err := (handover.Peers{}).Fetch(t.Context(), young.memories(), quiet); err == nil {
		t.Error("no peers is no error")
	}
}

// Keys and values of another shape mean something else.
func TestAnotherShapeIsNotTaken(t *testing.T) {
	keys := newKeys(t)
	old, young := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 10)
	young.shape = "2"
	peers := handover.Peers{Addresses: []string{old.address}, Keys: keys}
	if n, err := peers.Fetch(t.Context(), young.memories(), quiet); n != 0 || err != nil {
		t.Errorf("%d taken, %v", n, err)
	}
	if n, err := peers.HandOver(t.Context(), young.memories()); n != 0 || err != nil {
		t.Errorf("%d given, %v", n, err)
	}
}

// What caches hold was answered to somebody: no adapter gets at it.
func TestOnlyEdgesAskOneAnother(t *testing.T) {
	keys := newKeys(t)
	e := newEdge(t, keys)
	e.warm(t, 10)
	signed, err := keys.Seal(passport.Passport{Level: passport.Recognised, Profile: "paul", Origin: "gateway", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := newKeys(t).Seal(passport.Passport{Origin: handover.Origin, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := nodelayer.Dial(t.Context(), nodelayer.Config{Edges: []string{e.address}, Name: "tv", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer adapter.Close()
	for name, tt := range map[string]struct {
		sealed []byte
		code   protocol.Code
	}{"none": {nil, protocol.Unauthenticated}, "a device's": {signed, protocol.Forbidden}, "a forged one": {forged, protocol.Unauthenticated}} {
		ctx := passport.NewContext(t.Context(), passport.NewCarrier(tt.sealed))
		conv := adapter.Converse(ctx)
		for part, err := range nodelayer.Stream[handover.Part](ctx, conv, "edge.hottest", map[string]any{"bytes": 1 << 20}) {
			if protocol.AsError(err) == nil || protocol.AsError(err).Code != tt.code {
				t.Errorf("%s: %v, %v", name, part, err)
			}
		}
		poison := handover.Part{Cache: "catalogue.film", Shape: "1", Entries: []handover.Entry{{Key: "666", Value: []byte{0xC0}}}}
		if _, err := nodelayer.Call[any](ctx, conv, "edge.take", poison); protocol.AsError(err) == nil || protocol.AsError(err).Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
		conv.Close()
	}
	e.has(t, "666")
}

func TestHotKeysAreLoadedFromTheSources(t *testing.T) {
	keys := newKeys(t)
	old, young := newEdge(t, keys), newEdge(t, keys)
	old.warm(t, 250)
	path := filepath.Join(t.TempDir(), "hot.keys")
	if n, err := handover.LoadKeys(t.Context(), path, young.memories(), quiet); n != 0 || err != nil {
		t.Errorf("no file: %d, %v", n, err)
	}
	for range 2 {
		if err := handover.SaveKeys(path, old.memories()); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := handover.SaveKeys(path, young.memories()); err != nil { // which has nothing
		t.Error(err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%v", files)
	}
	if n, err := handover.LoadKeys(t.Context(), path, young.memories(), quiet); n != 250 || err != nil {
		t.Errorf("%d loaded, %v", n, err)
	}
	asked := young.asked.Load()
	young.warm(t, 250)
	if young.asked.Load() != asked {
		t.Error("the source was asked again")
	}
	if err := handover.SaveKeys(path, newEdge(t, keys).memories()); err != nil {
		t.Error(err)
	}
	if n, err := handover.LoadKeys(t.Context(), path, newEdge(t, keys).memories(), quiet); n != 250 || err != nil {
		t.Errorf("a cold edge has spoilt it: %d loaded, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := handover.LoadKeys(ctx, path, young.memories(), quiet); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := handover.LoadKeys(t.Context(), path, young.memories(), quiet); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if err := handover.SaveKeys(filepath.Join(path, "x"), old.memories()); err == nil {
		t.Error("no error")
	}
}
