package device_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

// asks notes what is asked for.
type asks []uint64

func (a *asks) ask(version uint64) { *a = append(*a, version) }

func TestWithoutAnythingTheEmbeddedTableIsUsed(t *testing.T) {
	d := holding(t, device.Config{})
	d.Gap() // nobody to ask
	if d.Table() != device.Embedded() || d.Version() != device.Embedded().Version() || d.Lookup("WLGC-PS5-1", "").ID != "sony-ps5" {
		t.Errorf("version %d", d.Version())
	}
	key := passport.NewKey("a")
	if err := d.Take(snapshot(t, keyring(t, key), table(t, 9))); !errors.Is(err, device.ErrForged) {
		t.Errorf("without keys: %v", err)
	}
}

func TestDeltasAndSnapshotsAreTaken(t *testing.T) {
	v := chain(t, 6)
	r := keyring(t, passport.NewKey("a"))
	var asked asks
	d := holding(t, device.Config{Keyring: r, Table: v[0], Ask: asked.ask})
	for n, c := range []struct {
		what    string
		sealed  []byte
		err     error
		version uint64
	}{
		{"the next", delta(t, r, v[0], v[1]), nil, 2},
		{"again", delta(t, r, v[0], v[1]), nil, 2},
		{"as a snapshot", snapshot(t, r, v[1]), nil, 2},
		{"the next", delta(t, r, v[1], v[2]), nil, 3},
		{"that came late", delta(t, r, v[0], v[1]), nil, 3}, // it is held, and known to be the same
		{"one was missed", delta(t, r, v[3], v[4]), device.ErrGap, 3},
		{"a snapshot", snapshot(t, r, v[4]), nil, 5},
		{"the one missed", delta(t, r, v[2], v[3]), device.ErrOld, 5},
		{"an old snapshot", snapshot(t, r, v[3]), device.ErrOld, 5},
		{"the next", delta(t, r, v[4], v[5]), nil, 6},
		{"another table's", delta(t, r, table(t, 6), table(t, 7)), device.ErrGap, 6},
		{"another of that number", snapshot(t, r, table(t, 6)), device.ErrOld, 6},
	} {
		err := d.Take(c.sealed)
		if !errors.Is(err, c.err) || errors.Is(err, device.ErrMalformed) || d.Version() != c.version {
			t.Errorf("%d. %s: version %d, %v", n+1, c.what, d.Version(), err)
		}
		if got := d.Lookup("NOW-1", "").ID; got != fmt.Sprintf("v%d", c.version) {
			t.Errorf("%d. %s: %s is used", n+1, c.what, got)
		}
	}
	if !slices.Equal(asked, asks{0, 0}) {
		t.Errorf("asked for %v", asked)
	}
	if s := d.Stats(); s.Version != 6 || s.Newest != 6 || s.Rows != 7 || s.Taken != 4 || s.Refused != 5 || s.Asked != 2 {
		t.Errorf("%+v", s)
	}
}

// Two publishers have made a table of the same number: the one made later is used,
// whichever comes first.
func TestOfTwoTablesOfOneNumberTheLaterOneIsUsed(t *testing.T) {
	r := keyring(t, passport.NewKey("a"))
	earlier, err := device.NewTable(2, made, []device.Row{row("A", "earlier")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	later := table(t, 2, row("A", "later"))
	for _, order := range [][]*device.Table{{earlier, later}, {later, earlier}} {
		d := holding(t, device.Config{Keyring: r, Table: table(t, 1)})
		for _, tt := range order {
			if err := d.Take(snapshot(t, r, tt)); err != nil && (tt != earlier || !errors.Is(err, device.ErrOld)) {
				t.Error(err)
			}
		}
		if got := d.Lookup("A", "").ID; got != "later" || len(d.Versions()) != 2 {
			t.Errorf("%s of %v", got, d.Versions())
		}
		if err := errors.Join(d.Pin(1), d.Pin(2)); err != nil || d.Lookup("A", "").ID != "later" {
			t.Errorf("gone back to: %s, %v", d.Lookup("A", "").ID, err)
		}
	}
}

func TestAgeIsThatOfTheData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := keyring(t, passport.NewKey("a"))
		at := func(version uint64, age time.Duration) *device.Table {
			tt, err := device.NewTable(version, time.Now().Add(-age), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return tt
		}
		d := holding(t, device.Config{Keyring: r, Table: at(1, 10*time.Hour)})
		if got := d.Age(); got != 10*time.Hour {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		if err := d.Take(snapshot(t, r, at(2, 3*time.Hour))); err != nil || d.Age() != 3*time.Hour || d.Stats().Age != 3*time.Hour {
			t.Errorf("%v, %v", d.Age(), err)
		}
		if err := d.Take(snapshot(t, r, at(3, -25*time.Hour))); !errors.Is(err, device.ErrMalformed) || d.Version() != 2 {
			t.Errorf("what was made tomorrow: %v", err)
		}
		if err := d.Take(snapshot(t, r, at(3, -23*time.Hour))); err != nil || d.Age() != 0 {
			t.Errorf("%v, %v", d.Age(), err)
		}
	})
}

func TestAGapIsAskedAboutOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(made.AddDate(0, 0, 10)))
		v := chain(t, 9)
		r := keyring(t, passport.NewKey("a"))
		var asked asks
		d := holding(t, device.Config{Keyring: r, Table: v[0], Ask: asked.ask})
		late := delta(t, r, v[7], v[8])
		missed := func(times int) {
			t.Helper()
			for range 10 {
				if err := d.Take(late); !errors.Is(err, device.ErrGap) {
					t.Error(err)
				}
			}
			if len(asked) != times || d.Stats().Asked != uint64(times) {
				t.Errorf("asked %d times, want %d", len(asked), times)
			}
		}
		d.Gap() // the bus is there, which says nothing of what follows
		missed(2)
		time.Sleep(time.Second - 1)
		missed(2)
		time.Sleep(time.Nanosecond)
		missed(3)
		d.Gap() // the bus is back: what was asked before may be lost
		missed(4)
		if err := d.Take(snapshot(t, r, v[4])); err != nil { // what was asked for: the next is another gap
			t.Error(err)
		}
		missed(5)
	})
}

func TestAVersionIsPinnedAndTakenBack(t *testing.T) {
	v := chain(t, 8)
	r := keyring(t, passport.NewKey("a"))
	d := holding(t, device.Config{Keyring: r, Table: v[0], Keep: 3})
	want := func(used, pinned uint64, held ...uint64) {
		t.Helper()
		if d.Version() != used || d.Pinned() != pinned || d.Stats().Pinned != pinned || !slices.Equal(d.Versions(), held) || d.Stats().Newest != held[len(held)-1] {
			t.Errorf("version %d is used, %d pinned, %v held; want %d, %d, %v", d.Version(), d.Pinned(), d.Versions(), used, pinned, held)
		}
		if got := d.Lookup("NOW-", "").ID; got != fmt.Sprintf("v%d", used) {
			t.Errorf("%s is used, want v%d", got, used)
		}
	}
	take := func(sealed []byte) {
		t.Helper()
		if err := d.Take(sealed); err != nil {
			t.Error(err)
		}
	}
	pin := func(version uint64) {
		t.Helper()
		if err := d.Pin(version); err != nil {
			t.Error(err)
		}
	}
	want(1, 0, 1)
	for n := range 4 {
		take(delta(t, r, v[n], v[n+1]))
	}
	want(5, 0, 3, 4, 5)
	pin(4) // back
	want(4, 4, 3, 4, 5)
	take(delta(t, r, v[4], v[5])) // taken, and not used
	want(4, 4, 4, 5, 6)
	take(snapshot(t, r, v[6])) // the one in use stays, however old
	take(delta(t, r, v[6], v[7]))
	want(4, 4, 4, 7, 8)
	if err := d.Pin(5); !errors.Is(err, device.ErrNotHeld) || !strings.Contains(err.Error(), "[4 7 8]") {
		t.Error(err)
	}
	want(4, 4, 4, 7, 8)
	pin(7)
	want(7, 7, 4, 7, 8)
	pin(0)
	want(8, 0, 4, 7, 8)
	pin(8) // stay
	want(8, 8, 4, 7, 8)
}

func TestAVersionIsPinnedBeforeItComes(t *testing.T) {
	v := chain(t, 6)
	r := keyring(t, passport.NewKey("a"))
	var asked asks
	d := holding(t, device.Config{Keyring: r, Table: v[0], Pin: 3, Keep: -1, Ask: asked.ask})
	d.Gap()
	for _, sealed := range [][]byte{snapshot(t, r, v[4]), delta(t, r, v[4], v[5])} {
		if err := d.Take(sealed); err != nil || d.Version() != 1 {
			t.Errorf("version %d, %v", d.Version(), err)
		}
	}
	if err := d.Take(snapshot(t, r, v[3])); !errors.Is(err, device.ErrOld) {
		t.Error(err)
	}
	if err := d.Take(snapshot(t, r, v[2])); err != nil || d.Version() != 3 {
		t.Errorf("version %d, %v", d.Version(), err)
	}
	d.Gap()
	if !slices.Equal(asked, asks{3, 0}) {
		t.Errorf("asked for %v", asked)
	}
	if held := d.Versions(); !slices.Equal(held, []uint64{3, 6}) {
		t.Errorf("held are %v", held)
	}
	if err := d.Pin(0); err != nil || d.Version() != 6 || !slices.Equal(d.Versions(), []uint64{6}) {
		t.Errorf("version %d of %v, %v", d.Version(), d.Versions(), err)
	}
}

func TestKeepIsBounded(t *testing.T) {
	if _, err := device.New(device.Config{Keep: 17}); err == nil || !strings.Contains(err.Error(), "at most 16") {
		t.Error(err)
	}
	v := chain(t, 20)
	r := keyring(t, passport.NewKey("a"))
	for keep, want := range map[int]int{-1: 1, 0: 4, 1: 1, 2: 2, 16: 16} {
		d := holding(t, device.Config{Keyring: r, Table: v[0], Keep: keep})
		for n := range 19 {
			if err := d.Take(delta(t, r, v[n], v[n+1])); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(d.Versions()); got != want {
			t.Errorf("Keep %d: %d are held", keep, got)
		}
	}
}

// sealed signs a body as the package's documentation says, whatever the body is.
func sealed(k passport.Key, name string, body []byte) []byte {
	h := hmac.New(sha256.New, k.Secret)
	h.Write(append([]byte("warmline devices 1\x00"), byte(len(name))))
	h.Write([]byte(name))
	h.Write(body)
	b := msgp.AppendArrayHeader(nil, 3)
	b = msgp.AppendString(b, name)
	b = msgp.AppendBytes(b, body)
	return msgp.AppendBytes(b, h.Sum(nil))
}

// body is a body as the package's documentation says.
func body(kind, version uint64, base, result, content []byte) []byte {
	b := msgp.AppendArrayHeader(nil, 5)
	b = msgp.AppendUint64(b, kind)
	b = msgp.AppendUint64(b, version)
	b = msgp.AppendBytes(b, base)
	b = msgp.AppendBytes(b, result)
	return msgp.AppendBytes(b, content)
}

func TestTheSealedFormIsTheDocumentedOne(t *testing.T) {
	key := passport.NewKey("2026-11")
	r := keyring(t, key)
	tt := table(t, 2, row("A", "a"))
	digest := tt.Digest()
	if want := sealed(key, key.Name, body(1, 2, nil, digest[:], tt.Encode())); !bytes.Equal(snapshot(t, r, tt), want) {
		t.Errorf("%x, want %x", snapshot(t, r, tt), want)
	}
}

func TestWhatIsNotSignedOrNotRightChangesNothing(t *testing.T) {
	v := chain(t, 3)
	key, old, stranger := passport.NewKey("a"), passport.NewKey("b"), passport.NewKey("c")
	r := keyring(t, key, old)
	good, next := snapshot(t, r, v[1]), delta(t, r, v[0], v[1])
	digest, base := v[1].Digest(), v[0].Digest()
	same := stranger
	same.Name = key.Name
	ring, err := passport.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	pass, err := ring.Seal(passport.Passport{Customer: "c-1", Expires: made})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(b []byte) []byte { return sealed(key, key.Name, b) }
	cases := map[string]struct {
		data []byte
		want error
		says string
	}{
		"nothing":              {nil, device.ErrMalformed, "array of 3"},
		"text":                 {[]byte("hello"), device.ErrMalformed, "array of 3"},
		"too long":             {make([]byte, device.MaxSealed+1), device.ErrMalformed, "65537 bytes, expected at most 65536"},
		"1 MB":                 {bytes.Repeat(good, 1<<20/len(good)), device.ErrMalformed, "at most"},
		"more behind":          {append(bytes.Clone(good), 0), device.ErrMalformed, "its end"},
		"a stranger's":         {snapshot(t, keyring(t, stranger), v[1]), device.ErrForged, ""},
		"a stranger's named a": {snapshot(t, keyring(t, same), v[1]), device.ErrForged, ""},
		"signed with nothing":  {sealed(passport.Key{}, "", body(1, 2, nil, digest[:], v[1].Encode())), device.ErrForged, ""},
		"another's name":       {sealed(key, old.Name, body(1, 2, nil, digest[:], v[1].Encode())), device.ErrForged, ""},
		"a passport":           {pass, device.ErrForged, ""},
		"a short mac":          {append(msgp.AppendBytes(msgp.AppendString([]byte{0x93}, "a"), nil), 0xc4, 0), device.ErrMalformed, "32 to 32 bytes"},

		// Signed, and wrong all the same.
		"no body":              {sign(nil), device.ErrMalformed, "array of 5"},
		"another kind":         {sign(body(3, 2, nil, digest[:], v[1].Encode())), device.ErrMalformed, "kind 3"},
		"a version of 0":       {sign(body(1, 0, nil, digest[:], v[1].Encode())), device.ErrMalformed, "version 0"},
		"another version":      {sign(body(1, 3, nil, digest[:], v[1].Encode())), device.ErrMalformed, "announced was 3"},
		"another digest":       {sign(body(1, 2, nil, base[:], v[1].Encode())), device.ErrMalformed, "announced"},
		"no digest":            {sign(body(1, 2, nil, nil, v[1].Encode())), device.ErrMalformed, "32 to 32 bytes"},
		"a snapshot of a base": {sign(body(1, 2, base[:], digest[:], v[1].Encode())), device.ErrMalformed, "a base of 32 bytes"},
		"a delta without":      {sign(body(2, 2, nil, digest[:], v[1].Encode())), device.ErrMalformed, "a base of 0 bytes"},
		"a delta to 1":         {sign(body(2, 1, base[:], digest[:], nil)), device.ErrMalformed, "version 1"},
		"no delta in it":       {sign(body(2, 2, base[:], digest[:], []byte("hello"))), device.ErrMalformed, "DEFLATE"},
		"a table in it":        {sign(body(2, 2, base[:], digest[:], v[1].Encode())), device.ErrMalformed, "a delta"},
		"no table in it":       {sign(body(1, 2, nil, digest[:], []byte("hello"))), device.ErrMalformed, "DEFLATE"},
		"another delta in it":  {sign(body(2, 2, base[:], digest[:], contents(t, delta(t, r, table(t, 1), table(t, 2, row("Z", "z"))))[2])), device.ErrMalformed, "version 2 that results"},
		"more behind the body": {sign(append(body(1, 2, nil, digest[:], v[1].Encode()), 0)), device.ErrMalformed, "its end"},
	}
	for n := range good {
		cases[fmt.Sprintf("cut at %d", n)] = struct {
			data []byte
			want error
			says string
		}{good[:n], device.ErrMalformed, ""}
	}
	for name, c := range cases {
		var asked asks
		d := holding(t, device.Config{Keyring: r, Table: v[0], Ask: asked.ask})
		err := d.Take(c.data)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v, and %q in it", name, err, c.want, c.says)
		}
		if d.Table() != v[0] || len(d.Versions()) != 1 || d.Stats().Refused != 1 || d.Stats().Taken != 0 || len(asked) != 0 {
			t.Errorf("%s: %+v, held %v, asked for %v", name, d.Stats(), d.Versions(), asked)
		}
	}
	for name, whole := range map[string][]byte{"snapshot": good, "delta": next} {
		for n := range whole {
			for bit := range 8 {
				flipped := bytes.Clone(whole)
				flipped[n] ^= 1 << bit
				d := holding(t, device.Config{Keyring: r, Table: v[0]})
				if err := d.Take(flipped); !errors.Is(err, device.ErrForged) && !errors.Is(err, device.ErrMalformed) || d.Table() != v[0] {
					t.Fatalf("%s with bit %d of byte %d flipped: %v", name, bit, n, err)
				}
			}
		}
		if d := holding(t, device.Config{Keyring: r, Table: v[0]}); d.Take(whole) != nil || d.Version() != 2 {
			t.Errorf("the %s that these were made of is not taken", name)
		}
	}
}

// contents are base, result and content of what is sealed.
func contents(t *testing.T, sealed []byte) (parts [][]byte) {
	t.Helper()
	_, rest, _ := msgp.ReadArrayHeaderBytes(sealed)
	_, rest, _ = msgp.ReadStringZC(rest)
	inner, _, _ := msgp.ReadBytesZC(rest)
	_, rest, _ = msgp.ReadArrayHeaderBytes(inner)
	_, rest, _ = msgp.ReadUint64Bytes(rest)
	_, rest, _ = msgp.ReadUint64Bytes(rest)
	for len(rest) > 0 {
		var one []byte
		var err error
		if one, rest, err = msgp.ReadBytesZC(rest); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, one)
	}
	return parts
}

// A delta is for the version before, and not for another one that it names by its
// digest.
func TestADeltaLeavesNoVersionOut(t *testing.T) {
	key := passport.NewKey("a")
	r := keyring(t, key)
	v := chain(t, 3)
	base, result := v[0].Digest(), v[2].Digest()
	d := holding(t, device.Config{Keyring: r, Table: v[0]})
	good := contents(t, delta(t, r, v[1], v[2]))
	if err := d.Take(sealed(key, key.Name, body(2, 3, base[:], result[:], good[2]))); !errors.Is(err, device.ErrGap) || d.Version() != 1 {
		t.Errorf("version %d, %v", d.Version(), err)
	}
}

func TestKeysRotate(t *testing.T) {
	v := chain(t, 4)
	old, next := passport.NewKey("old"), passport.NewKey("new")
	keys, err := passport.ParseKeys(old.Format() + "\n" + next.Format())
	if err != nil {
		t.Fatal(err)
	}
	both := keyring(t, keys...)
	d := holding(t, device.Config{Keyring: both, Table: v[0]})
	for n, publisher := range []*device.Keyring{keyring(t, old), both, keyring(t, next)} {
		if err := d.Take(delta(t, publisher, v[n], v[n+1])); err != nil {
			t.Error(err)
		}
	}
	retired := holding(t, device.Config{Keyring: keyring(t, next), Table: v[0]})
	if err := retired.Take(delta(t, both, v[0], v[1])); !errors.Is(err, device.ErrForged) {
		t.Errorf("a retired key: %v", err)
	}
}

func TestAKeyringShowsNoSecret(t *testing.T) {
	key := passport.NewKey("a")
	r := keyring(t, key)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, r); !strings.Contains(got, "key a") || strings.Contains(got, string(key.Secret)) || strings.Contains(got, fmt.Sprint(key.Secret[0], key.Secret[1])) {
			t.Errorf("%s: %s", format, got)
		}
	}
	for name, keys := range map[string][]passport.Key{"none": nil, "short": {{Name: "a", Secret: []byte("secret")}}, "twice": {key, key}} {
		if _, err := device.NewKeyring(keys...); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsTooLongIsNotSealed(t *testing.T) {
	r := keyring(t, passport.NewKey("a"))
	var rows []device.Row
	for n := range 4000 {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n), byte(n >> 8)})) // can't be made small
		rows = append(rows, row(id[:40], id[:50]))
	}
	tt := table(t, 2, rows...)
	if _, err := r.SealSnapshot(tt); err == nil || !strings.Contains(err.Error(), "at most 65536") {
		t.Error(err)
	}
	d, err := device.Diff(table(t, 1), tt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.SealDelta(d); err == nil || !strings.Contains(err.Error(), "at most 65536") {
		t.Error(err)
	}
}

func TestLookingUpWhileTablesChange(t *testing.T) {
	v := chain(t, 10)
	r := keyring(t, passport.NewKey("a"))
	d := holding(t, device.Config{Keyring: r, Table: v[0]})
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for last := ""; ; {
				select {
				case <-stop:
					return
				default:
				}
				// There are fewer than ten versions: their IDs are in order.
				if id := d.Lookup("NOW-", "").ID; id < last {
					t.Errorf("%s behind %s", id, last)
					return
				} else {
					last = id
				}
				d.Stats()
			}
		})
	}
	for n := range 8 {
		if err := d.Take(delta(t, r, v[n], v[n+1])); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
	if d.Version() != 9 {
		t.Errorf("version %d", d.Version())
	}
}
