package revocation_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

func TestWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		a := revocation.Entry{ID: "a", At: at}
		good := p.Change(a)
		take(t, s, good)
		snap := p.Snapshot(a)
		take(t, s, snap...)
		beat := p.Beat(a)
		take(t, s, beat)
		for _, again := range [][]byte{good, snap[0], beat} {
			refuses(t, s, revocation.ErrOld, again)
		}
		fresh := func() []byte { p.Seq = 5; return p.Change(revocation.Entry{ID: "b", At: at}) }
		for i := range fresh() {
			m := fresh()
			refuses(t, s, one(i < 3, revocation.ErrMalformed, revocation.ErrForged), flip(m, i))
			if err := s.Take(m[:i]); !errors.Is(err, revocation.ErrMalformed) && !errors.Is(err, revocation.ErrForged) {
				t.Errorf("cut off after %d bytes: %v", i, err)
			}
		}
		refuses(t, s, revocation.ErrForged, append(fresh(), 0))
		other := &revocation.Teller{Key: passport.NewKey("2026-11"), Epoch: 1, Seq: 5, Sent: p.Sent}
		refuses(t, s, revocation.ErrForged, other.Change(a)) // another secret of the same name
		other.Key = passport.Key{Name: "other", Secret: key.Secret}
		refuses(t, s, revocation.ErrForged, other.Change(a))
		refuses(t, s, revocation.ErrMalformed, p.Ask())
		refuses(t, s, revocation.ErrMalformed, make([]byte, 1<<20))
		complete(t, s, true)
		passes(t, s, at, "b")
		if st := s.Stats(); st.Old != 3 || st.Forged < 100 || st.Malformed < 8 {
			t.Errorf("%+v", st)
		}
	})
}

func one[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func flip(m []byte, i int) []byte {
	m = slices.Clone(m)
	m[i] ^= 0x10
	return m
}

// What is signed and all the same is not what it should be.
func TestSignedNonsenseIsRefused(t *testing.T) {
	s, p := newSet(t), newTeller(1)
	head := strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x01", 3)
	entry := func(id byte) string { return "\x00\x00\x00\x00\x00\x00\x00" + string([]byte{id}) + "\x7f\x00\x00\x00" }
	for what, m := range map[string]struct {
		kind byte
		body string
	}{
		"no kind":                    {0, head},
		"a kind to come":             {5, head},
		"nothing":                    {1, ""},
		"half a head":                {2, head[:20]},
		"sent in 1970":               {1, head[:16] + "\x00\x00\x00\x00\x00\x00\x00\x00" + entry(1)},
		"sent before 1970":           {1, head[:16] + "\xff\x00\x00\x00\x00\x00\x00\x00" + entry(1)},
		"a change of nothing":        {1, head},
		"a change without a number":  {1, "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + entry(1)},
		"half an entry":              {1, head + entry(1) + entry(2)[:7]},
		"unsorted":                   {1, head + entry(2) + entry(1)},
		"twice the same":             {1, head + entry(2) + entry(2)},
		"too many entries":           {1, head + strings.Repeat(entry(2), revocation.MaxEntries+1)},
		"a short beat":               {2, head + "\x00\x00\x00\x00\x00\x00\x00\x01"},
		"a long beat":                {2, head + strings.Repeat("\x00", 41)},
		"a short part":               {3, head + "\x00\x00\x00\x00\x00\x00\x00"},
		"a part of none":             {3, head + "\x00\x00\x00\x00\x00\x00\x00\x00"},
		"a part beyond":              {3, head + "\x00\x00\x00\x01\x00\x01\x00\x01" + entry(1)},
		"a part with too few":        {3, head + "\x00\x00\x00\x02\x00\x00\x00\x01" + entry(1)},
		"a part with too many":       {3, head + "\x00\x00\x00\x01\x00\x00\x00\x01" + entry(1) + entry(2)},
		"a first part that is small": {3, head + "\x00\x00\x13\x89\x00\x00\x00\x02" + entry(1)},
		"too few parts":              {3, head + "\x00\x00\x27\x11\x00\x01\x00\x02" + entry(1)},
		"too many parts":             {3, head + "\x00\x00\x00\x01\x00\x00\x00\x02" + entry(1)},
		"parts beyond bounds":        {3, head + "\x00\xff\xff\xff\xff\xfe\xff\xff" + entry(1)},
		"an ask":                     {4, head},
	} {
		t.Run(what, func(t *testing.T) {
			refuses(t, s, revocation.ErrMalformed, p.Sign(m.kind, []byte(m.body)))
		})
	}
}

// Messages as a program of a few lines of Python writes them, after doc.go.
func TestMessagesByteForByte(t *testing.T) {
	key := passport.Key{Name: "2026-11", Secret: make([]byte, 32)}
	for i := range key.Secret {
		key.Secret[i] = byte(i)
	}
	sent := time.UnixMilli(1790000000123)
	customer := revocation.Entry{ID: "c-1001", At: time.Unix(1790000000, 0)}
	p := &revocation.Teller{Key: key, Epoch: 0x0102030405060708, Sent: sent}
	sentAgain := func() { p.Sent = sent.Add(-time.Millisecond) }
	sentAgain()
	change := p.Change(customer)
	sentAgain()
	part := p.Snapshot(customer)[0]
	sentAgain()
	beat := p.BeatSince(time.Unix(1789971200, 0), customer)
	for what, m := range map[string]struct {
		got  []byte
		want string
	}{
		"change": {change, "5752010107323032362d313101020304050607080000000000000001000001a0c4506c7b03e78892b3d82e566ab13b80" +
			"10d4076e76d90ddd3c2f3f749c65b78cf58d77f70fb42f99c9c3b3603bc464d2"},
		"beat": {beat, "5752010207323032362d313101020304050607080000000000000001000001a0c4506c7b6ab0cb0000000001c8a67820" +
			"39ae88f8270dd671e98548dc1c9742d9dcf851bb598e38c68dc3f84a0aa797660257f98b3e6e47f6d4814d01fcd60c75" +
			"d3a947e8ab7a38c02f4e1617"},
		"part": {part, "5752010307323032362d313101020304050607080000000000000001000001a0c4506c7b000000010000000103e78892" +
			"b3d82e566ab13b8022d02b4615db06f1eadca53135f83c417027333333dcbdfd18f73ef885d9e2fe"},
	} {
		if got := hex.EncodeToString(m.got); got != m.want {
			t.Errorf("%s is\n%s, expected\n%s", what, got, m.want)
		}
	}
}
