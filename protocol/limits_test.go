package protocol_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"warmline.dev/protocol"
)

// unhex reads hex with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// values are one or more of every family of the msgpack specification.
var values = map[string]string{
	"nil":           "c0",
	"false":         "c2",
	"true":          "c3",
	"fixint":        "7f",
	"fixint below":  "e0",
	"uint8":         "cc ff",
	"uint16":        "cd ffff",
	"uint32":        "ce ffffffff",
	"uint64":        "cf ffffffffffffffff",
	"int8":          "d0 80",
	"int16":         "d1 8000",
	"int32":         "d2 80000000",
	"int64":         "d3 8000000000000000",
	"float32":       "ca 3fc00000",
	"float64":       "cb 3ff8000000000000",
	"fixstr empty":  "a0",
	"fixstr":        "a3 616263",
	"str8":          "d9 03 616263",
	"str16":         "da 0003 616263",
	"str32":         "db 00000003 616263",
	"bin8":          "c4 03 616263",
	"bin16":         "c5 0003 616263",
	"bin32":         "c6 00000003 616263",
	"fixarray none": "90",
	"fixarray":      "93 01 02 03",
	"array16":       "dc 0002 c0 c3",
	"array32":       "dd 00000002 c0 c3",
	"fixmap none":   "80",
	"fixmap":        "82 a1 61 01 a1 62 90",
	"map16":         "de 0001 a1 61 01",
	"map32":         "df 00000001 a1 61 01",
	"fixext1":       "d4 07 01",
	"fixext2":       "d5 07 0102",
	"fixext4":       "d6 07 01020304",
	"fixext8":       "d7 07 0102030405060708",
	"fixext16":      "d8 07 0102030405060708090a0b0c0d0e0f10",
	"ext8 empty":    "c7 00 07",
	"ext8":          "c7 03 07 616263",
	"ext16":         "c8 0003 07 616263",
	"ext32":         "c9 00000003 07 616263",
	"timestamp 32":  "d6 ff 5f5e1000",
	"timestamp 64":  "d7 ff dfffffff5f5e1000", // its data looks like the header of a map
	"timestamp 96":  "c7 0c ff 00000001 ffffffffffffffff",
	"nested":        "81 a1 61 92 81 a1 62 91 c4 01 00 d4 07 01",
}

func TestValuesOfEveryFamilyPassWithTheirLength(t *testing.T) {
	l := protocol.DefaultLimits
	for name, digits := range values {
		b := unhex(t, digits)
		if n, err := l.Walk(append(bytes.Clone(b), 0xc1, 0xff)); n != len(b) || err != nil {
			t.Errorf("%s: length %d, %v; want %d", name, n, err, len(b))
		}
		if err := l.Check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.Check(append(bytes.Clone(b), 0xc0)); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s with a byte behind it: %v, want malformed", name, err)
		}
		for n := range b {
			if _, err := l.Walk(b[:n:n]); !errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s cut to %d of %d bytes: %v, want malformed", name, n, len(b), err)
			}
		}
	}
}

// What would end the process if the decoder saw it, and what merely lies.
func TestLiesAreMalformed(t *testing.T) {
	bombs := map[string][]byte{
		"array of 4,294,967,295":     unhex(t, "dd ffffffff"),
		"map of 4,294,967,295":       unhex(t, "df ffffffff"),
		"map of 2,147,483,648 pairs": unhex(t, "df 80000000"), // doubled, it is 0 in 32 bits
		"array of 65,535":            unhex(t, "dc ffff"),
		"map of 65,535":              unhex(t, "de ffff"),
		"array in a map":             unhex(t, "81 a1 61 dd ffffffff"),
		"map in an array":            unhex(t, "92 c0 df ffffffff"),
		"str8":                       unhex(t, "d9 ff 61"),
		"str16":                      unhex(t, "da ffff 61"),
		"str32":                      unhex(t, "db ffffffff 61"),
		"bin8":                       unhex(t, "c4 ff 61"),
		"bin16":                      unhex(t, "c5 ffff 61"),
		"bin32":                      unhex(t, "c6 ffffffff 61"),
		"ext8":                       unhex(t, "c7 ff 07 61"),
		"ext16":                      unhex(t, "c8 ffff 07 61"),
		"ext32":                      unhex(t, "c9 ffffffff 07 61"),
		"the byte that is no type":   unhex(t, "c1"),
		"it, inside":                 unhex(t, "91 c1"),
		"5 MB of arrays":             bytes.Repeat([]byte{0x91}, 5<<20),
		"5 MB of maps":               bytes.Repeat([]byte{0x81, 0xc0}, 5<<19),
		"5 MB of arrays, ended":      append(bytes.Repeat([]byte{0x91}, 5<<20), 0xc0),
	}
	for name, b := range bombs {
		if n, err := protocol.DefaultLimits.Walk(b); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: walk: length %d, %v; want malformed", name, n, err)
		}
		var v any
		if err := protocol.MsgPack.Unmarshal(b, &v); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: decode: %v, want malformed", name, err)
		}
	}
}

func TestLimitsHoldExactly(t *testing.T) {
	nest := func(n int) []byte { return append(bytes.Repeat([]byte{0x91}, n), 0xc0) }
	list := func(n int) []byte { return append([]byte{0xdc, byte(n >> 8), byte(n)}, make([]byte, n)...) }
	for _, tt := range []struct {
		name string
		l    protocol.Limits
		b    []byte
		fine bool
	}{
		{"as deep as may be", protocol.Limits{Depth: 3, Elements: 100}, nest(3), true},
		{"one deeper", protocol.Limits{Depth: 3, Elements: 100}, nest(4), false},
		{"the default", protocol.DefaultLimits, nest(32), true},
		{"one deeper than the default", protocol.DefaultLimits, nest(33), false},
		{"an empty array is no depth", protocol.Limits{Depth: 1, Elements: 100}, []byte{0x91, 0x90}, true},
		{"depth counts what is open, not what was", protocol.Limits{Depth: 2, Elements: 100}, unhex(t, "93 91 c0 91 c0 91 c0"), true},
		{"no depth lets a number through", protocol.Limits{Depth: 0, Elements: 1}, []byte{7}, true},
		{"and no array", protocol.Limits{Depth: 0, Elements: 100}, nest(1), false},
		{"a negative depth is none", protocol.Limits{Depth: -1, Elements: 100}, nest(70), false},
		{"more depth than is kept", protocol.Limits{Depth: 1000, Elements: 1000}, nest(63), true},
		{"one deeper than that", protocol.Limits{Depth: 1000, Elements: 1000}, nest(64), false},
		{"as many as may be, with the array", protocol.Limits{Depth: 3, Elements: 100}, list(99), true},
		{"one more", protocol.Limits{Depth: 3, Elements: 100}, list(100), false},
		{"a map's keys count", protocol.Limits{Depth: 3, Elements: 4}, unhex(t, "82 00 00 01 01"), false},
		{"no elements at all", protocol.Limits{}, []byte{7}, false},
	} {
		if err := tt.l.Check(tt.b); tt.fine != (err == nil) || !tt.fine && !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	many := append([]byte{0xdd, 0, 2, 0, 0}, make([]byte, 1<<17)...)
	if err := protocol.DefaultLimits.Check(many); !errors.Is(err, protocol.ErrMalformed) {
		t.Errorf("131,072 elements and their array: %v", err)
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	b := []byte{0xdc, 0, byte(len(values))}
	for _, digits := range values {
		b = append(b, unhex(t, digits)...)
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := protocol.DefaultLimits.Check(b); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzWalk(f *testing.F) {
	for _, digits := range values {
		f.Add(unhex(f, digits))
	}
	for _, digits := range []string{
		"dd ffffffff", "df ffffffff", "9191919191", "c7 05 00 df ffffffff", "d7 ff df ffffffff 00 00 00",
		"81 a5 77616e7473 c7 05 00 df ffffffff", "c7 08 00 81 a1 61 dd ffffffff",
	} {
		f.Add(unhex(f, digits))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := protocol.DefaultLimits.Walk(b)
		whole := protocol.DefaultLimits.Check(b) == nil
		switch {
		case err != nil:
			if whole || !errors.Is(err, protocol.ErrMalformed) {
				t.Fatalf("walk: %v; check passes: %v", err, whole)
			}
		case n < 1 || n > len(b) || whole != (n == len(b)) || protocol.DefaultLimits.Check(b[:n]) != nil:
			t.Fatalf("length %d of %d, check passes: %v", n, len(b), whole)
		}
		if whole { // must not panic, nor take the process with it; errors are fine
			var v any
			_ = msgpack.Unmarshal(b, &v)
		}
		for _, into := range []any{
			new(any), new(map[string]any), new(map[string]string), new(map[int][]string), new([]any), new([]string), new([]byte),
			new(string), new(int8), new(float64), new(bool), new(time.Time), new(protocol.Raw), new(everything),
			new(protocol.Hello), new(protocol.Refusal), new(protocol.DeviceRequest), new(protocol.DeviceResponse),
		} {
			err := protocol.MsgPack.Unmarshal(b, into)
			if !whole && !errors.Is(err, protocol.ErrMalformed) {
				t.Fatalf("%T from what Check refuses: %v", into, err)
			}
			_ = protocol.JSON.UnmarshalStrict(b, into)
		}
	})
}
