package handover_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/handover"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// peer is another edge, with its own idea of what to hand over.
func peer(t *testing.T, keys *passport.Keyring, hottest func(ctx context.Context, yield func(handover.Part) error) error) handover.Peers {
	t.Helper()
	type args struct {
		Bytes int64 `json:"bytes"`
	}
	address := serve(t, keys, edgelayer.NewStream("hottest", func(ctx context.Context, _ args, yield func(handover.Part) error) error {
		return hottest(ctx, yield)
	}))
	return handover.Peers{Addresses: []string{address}, Keys: keys}
}

// Nothing of what is no value, or of another cache, gets in; what is of another time
// does no harm.
func TestGarbageIsNotTaken(t *testing.T) {
	keys := newKeys(t)
	young := newEdge(t, keys)
	good, err := protocol.MsgPack.Marshal("film 1")
	if err != nil {
		t.Fatal(err)
	}
	entry := func(key string, value []byte, age int64) handover.Part {
		return handover.Part{Cache: "catalogue.film", Shape: "1", Entries: []handover.Entry{{Key: key, Value: value, Age: age}}}
	}
	p := peer(t, keys, func(_ context.Context, yield func(handover.Part) error) error {
		for _, part := range []handover.Part{
			{},
			{Cache: "catalogue.film"},
			{Cache: "catalogue.film", Shape: "2", Entries: entry("1", good, 0).Entries},
			{Cache: "catalogue.still", Shape: "1", Entries: entry("1", good, 0).Entries},
			entry("1", nil, 0),
			entry("1", append(good, good...), 0),
			entry("1", good[:3], 0),
			entry("1", []byte{0xDD, 0xFF, 0xFF, 0xFF, 0xFF}, 0),
			entry("1", []byte(strings.Repeat("\x91", 100_000)+"\xC0"), 0),
			entry("1", []byte{0xC1}, 0),
			entry("1", good, math.MaxInt64),
			entry("1", good, math.MaxInt64/1_000_000),
			entry("1", good, math.MaxInt64/1_000_000+1),
			entry("1", good, int64(time.Hour/time.Millisecond)),
			entry("2", good, math.MinInt64),
		} {
			if err := yield(part); err != nil {
				return err
			}
		}
		return nil
	})
	n, err := p.Fetch(t.Context(), young.memories(), quiet)
	if n > 1 || err != nil {
		t.Errorf("%d taken, %v", n, err)
	}
	young.has(t, "1")
	if young.asked.Load() != 1 {
		t.Error("the source was not asked")
	}
	for _, e := range young.films.Hottest(1 << 20) {
		if e.Age < 0 {
			t.Errorf("%+v", e)
		}
	}
}

// A peer that never comes to an end fills no more than there is, and holds nobody up.
func TestAPeerWithoutEnd(t *testing.T) {
	const most = 1 << 20
	for name, hottest := range map[string]func(ctx context.Context, yield func(handover.Part) error) error{
		"says nothing": func(ctx context.Context, _ func(handover.Part) error) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"empty parts": func(_ context.Context, yield func(handover.Part) error) error {
			for {
				if err := yield(handover.Part{}); err != nil {
					return err
				}
			}
		},
		"long keys": func(_ context.Context, yield func(handover.Part) error) error {
			for n := 0; ; n++ {
				key := strings.Repeat("k", 300<<10) + time.Duration(n).String()
				if err := yield(handover.Part{Cache: "catalogue.film", Shape: "1", Entries: []handover.Entry{{Key: key, Value: []byte{0xC0}}}}); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := newKeys(t)
			c, err := warm.New(warm.Config[protocol.Raw]{Source: "catalogue", Name: "film", MaxBytes: most, Load: func(context.Context, []string) (map[string]protocol.Raw, error) { return nil, nil }})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err = peer(t, keys, hottest).Fetch(ctx, []handover.Memory{{Name: "catalogue.film", Shape: "1", Cache: c}}, quiet)
			// the peer, which was told how long it has, may say that time is up before ctx does
			if protocol.AsError(err).Code != protocol.DeadlineExceeded || time.Since(began) > 20*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			if n := c.Stats().Bytes; n > most+most/2 {
				t.Errorf("%d bytes are held, of at most %d", n, most)
			}
		})
	}
}

// A list of hot keys that something else has written harms nobody.
func TestAListThatSomethingElseWrote(t *testing.T) {
	e := newEdge(t, newKeys(t))
	path := filepath.Join(t.TempDir(), "hot.keys")
	for _, text := range []string{
		"", "null", "[]", `"x"`, `{"caches":{}}`, `{"caches":[null]}`, `{"caches":[{"keys":[17]}]}`, "\x00", strings.Repeat("[", 100_000),
		`{"caches":[{"cache":"catalogue.still","shape":"1","keys":["1"]},{"cache":"catalogue.film","shape":"2","keys":["1"]}]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, _ := handover.LoadKeys(t.Context(), path, e.memories(), quiet); n != 0 {
			t.Errorf("%.40q: %d were loaded", text, n)
		}
	}
	if e.asked.Load() != 0 {
		t.Error("the source was asked")
	}
}
