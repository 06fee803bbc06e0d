package protocol_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/protocol"
)

var codecs = []protocol.Codec{protocol.MsgPack, protocol.JSON}

// everything has a field of each kind that services use.
type everything struct {
	Text   string         `json:"text"`
	Number int            `json:"number"`
	Big    uint64         `json:"big"`
	Rating float64        `json:"rating"`
	Flag   bool           `json:"flag"`
	Bytes  []byte         `json:"bytes"`
	List   []string       `json:"list"`
	Map    map[string]int `json:"map"`
	Inner  *inner         `json:"inner"`
	Inners []inner        `json:"inners"`
	At     time.Time      `json:"at"`
	Maybe  string         `json:"maybe,omitempty"`
	Untold string         `json:"-"`
}

type inner struct {
	ID int `json:"id"`
}

func marshal(t testing.TB, c protocol.Codec, v any) protocol.Raw {
	t.Helper()
	b, err := c.Marshal(v)
	if err != nil {
		t.Fatalf("%s: %v", c.MIME(), err)
	}
	return b
}

func TestStructsRoundTripByTheirJSONTags(t *testing.T) {
	in := everything{
		Text: "Amélie", Number: -7, Big: 1 << 63, Rating: 4.5, Flag: true, Bytes: []byte{0, 0xff},
		List: []string{"a", ""}, Map: map[string]int{"one": 1, "many": 1 << 40}, Inner: &inner{9}, Inners: []inner{{1}, {300}},
		// The nanoseconds are such that the msgpack data begins with the byte that is also a map's.
		At: time.Date(2026, 7, 4, 12, 0, 0, 936_000_000, time.UTC), Maybe: "yes",
	}
	for _, c := range codecs {
		b := marshal(t, c, in)
		for name, unmarshal := range map[string]func([]byte, any) error{"lenient": c.Unmarshal, "strict": c.UnmarshalStrict} {
			var out everything
			if err := unmarshal(b, &out); err != nil {
				t.Errorf("%s, %s: %v", c.MIME(), name, err)
			} else if diff := cmp.Diff(in, out); diff != "" {
				t.Errorf("%s, %s:\n%s", c.MIME(), name, diff)
			}
		}
		var names map[string]any
		if err := c.Unmarshal(b, &names); err != nil {
			t.Fatalf("%s: as a map: %v", c.MIME(), err)
		}
		for _, name := range []string{"text", "number", "inner", "maybe"} {
			if _, ok := names[name]; !ok {
				t.Errorf("%s: no field %q in %v", c.MIME(), name, names)
			}
		}
		if len(names) != 12 {
			t.Errorf("%s: %d fields, want the 12 that are not \"-\": %v", c.MIME(), len(names), names)
		}
	}
}

func TestOmitEmptyLeavesFieldsOut(t *testing.T) {
	for _, c := range codecs {
		var names map[string]any
		if err := c.Unmarshal(marshal(t, c, everything{Untold: "x"}), &names); err != nil {
			t.Fatal(err)
		}
		if _, ok := names["maybe"]; ok || len(names) != 11 {
			t.Errorf("%s: %v", c.MIME(), names)
		}
		b := marshal(t, c, protocol.Hello{})
		if want := map[string]string{protocol.MIMEMsgPack: "\x80", protocol.MIMEJSON: "{}"}[c.MIME()]; string(b) != want {
			t.Errorf("%s: an empty hello is %q, want %q", c.MIME(), b, want)
		}
	}
}

func TestDeviceRequestsRoundTrip(t *testing.T) {
	in := protocol.DeviceRequest{Method: "PUT", Path: "/home", Query: "rows=3", Header: map[string][]string{"Accept": {"a", "b"}}, Body: []byte{1, 2, 0xff}}
	answer := protocol.DeviceResponse{Status: 200, Body: []byte("{}"), Calls: []protocol.Timing{{Method: "a.b", Micros: 12}, {Method: "a.c", Micros: 9, Code: "not_found"}}}
	for _, c := range codecs {
		var out protocol.DeviceRequest
		if err := c.UnmarshalStrict(marshal(t, c, in), &out); err != nil || !cmp.Equal(in, out) {
			t.Errorf("%s: %v\n%s", c.MIME(), err, cmp.Diff(in, out))
		}
		var back protocol.DeviceResponse
		if err := c.UnmarshalStrict(marshal(t, c, answer), &back); err != nil || !cmp.Equal(answer, back) {
			t.Errorf("%s: %v\n%s", c.MIME(), err, cmp.Diff(answer, back))
		}
	}
}

func TestUnknownFieldsArePassedOverUnlessStrict(t *testing.T) {
	for _, c := range codecs {
		b := marshal(t, c, map[string]any{"id": 7, "newer": map[string]any{"x": []int{1, 2}}})
		for range 3 { // decoders are used again: neither way sticks to them
			var in inner
			if err := c.Unmarshal(b, &in); err != nil || in.ID != 7 {
				t.Errorf("%s: lenient: %+v, %v", c.MIME(), in, err)
			}
			if err := c.UnmarshalStrict(b, &in); err == nil || errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s: strict: %v, want an error that is not about bytes", c.MIME(), err)
			}
		}
	}
}

func TestWrongShapeIsNotMalformed(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
		into any
	}{
		{"text for a number", map[string]any{"id": "seven"}, new(inner)},
		{"a number for text", map[string]any{"text": 7}, new(everything)},
		{"a map for a list", map[string]any{"list": map[string]any{}}, new(everything)},
		{"a list for a map", map[string]any{"map": []int{1}}, new(everything)},
		{"a number for a struct", 7, new(inner)},
		{"text for a struct", "seven", new(inner)},
		{"a struct for a number", inner{7}, new(int)},
		{"a list for text", []string{"a"}, new(string)},
		{"a number for a flag", 1, new(bool)},
	} {
		for _, c := range codecs {
			b := marshal(t, c, tt.v)
			if err := c.Unmarshal(b, tt.into); err == nil || errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s: %s: %v, want an error that is not about bytes", c.MIME(), tt.name, err)
			}
		}
	}
}

func TestGarbageIsMalformed(t *testing.T) {
	for _, tt := range []struct {
		codec protocol.Codec
		in    string
	}{
		{protocol.MsgPack, ""},
		{protocol.MsgPack, "\xc1"},
		{protocol.MsgPack, "\x81"},
		{protocol.MsgPack, "\x81\xa2id"},
		{protocol.MsgPack, "\x81\xa2id\x07\x00"},
		{protocol.JSON, ""},
		{protocol.JSON, " "},
		{protocol.JSON, "{"},
		{protocol.JSON, `{"id":`},
		{protocol.JSON, `{"id":7`},
		{protocol.JSON, `{id:7}`},
		{protocol.JSON, "nul"},
		{protocol.JSON, "\x81\xa2id\x07"},
		{protocol.JSON, `{"id":7}{}`},
		{protocol.JSON, `{"id":7} x`},
		{protocol.JSON, `{"id":7}]`},
	} {
		for _, into := range []any{new(inner), new(any), new(protocol.Raw)} {
			if err := tt.codec.Unmarshal([]byte(tt.in), into); !errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s: %q into %T: %v, want malformed", tt.codec.MIME(), tt.in, into, err)
			}
		}
	}
	if err := protocol.JSON.Unmarshal([]byte(" {\"id\":7} \n"), new(inner)); err != nil {
		t.Errorf("JSON with white space around it: %v", err)
	}
}

// The decoder takes the data of an extension for a map where it expects one, and
// the walk has not been inside: four thousand million elements would be believed.
func TestExtensionsAreNotMaps(t *testing.T) {
	unwalked := []string{
		"c7 01 00 80",                    // no harm in it, but it must be seen to be refused
		"d4 00 80",                       //
		"c8 0001 00 80",                  //
		"c9 00000001 00 80",              //
		"d7 ff 80 00000000000000",        // a timestamp is one too
		"c7 05 00 df ffffffff",           // fatal
		"d7 ff df ffffffff 000000",       // fatal, and a valid timestamp
		"c7 08 00 81 a1 61 dd ffffffff",  // fatal a level below
		"d7 ff 81 a1 61 dd ffffffff",     // fatal, and a valid timestamp
		"c9 00000005 00 df ffffffff",     //
		"c8 0005 00 df ffffffff",         //
		"d8 00 df ffffffff" + zeroes(11), //
	}
	for _, digits := range unwalked {
		b := unhex(t, digits)
		for _, into := range []any{new(map[string]any), new(map[string]string), new(map[string][]string)} {
			if err := protocol.MsgPack.Unmarshal(b, into); err == nil || errors.Is(err, protocol.ErrMalformed) {
				t.Fatalf("%s into %T: %v, want an error that is not about bytes", digits, into, err)
			}
		}
		hello := append(unhex(t, "81 a5 77616e7473"), b...) // {"wants": …}
		if _, err := protocol.ParseHello(protocol.MsgPack, hello); err == nil {
			t.Fatalf("a hello whose wants are %s is taken", digits)
		}
		var v any
		_ = protocol.MsgPack.Unmarshal(b, &v) // whatever it is, it ends
	}
	// What is behind an empty one is still read.
	var pair []any
	if err := protocol.MsgPack.Unmarshal(unhex(t, "92 c3 d6 ff 5f5e1000"), &pair); err != nil || !pair[1].(time.Time).Equal(time.Unix(1_600_000_000, 0)) {
		t.Errorf("a timestamp: %v, %v", pair, err)
	}
}

func zeroes(n int) string { return string(bytes.Repeat([]byte("00"), n)) }

func TestRawPassesThrough(t *testing.T) {
	for _, c := range codecs {
		in := marshal(t, c, everything{Text: "x"})
		if out := marshal(t, c, in); !bytes.Equal(in, out) {
			t.Errorf("%s: %q became %q", c.MIME(), in, out)
		}
		var raw protocol.Raw
		b := bytes.Clone(in)
		if err := c.Unmarshal(b, &raw); err != nil || !bytes.Equal(raw, in) {
			t.Errorf("%s: %q, %v, want %q", c.MIME(), raw, err, in)
		}
		clear(b)
		if !bytes.Equal(raw, in) {
			t.Errorf("%s: what was decoded changes with what it was decoded from", c.MIME())
		}
	}
}

func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	for _, c := range codecs {
		if b, err := c.Marshal(make(chan int)); err == nil {
			t.Errorf("%s: %q", c.MIME(), b)
		}
	}
}

func TestCodecsAreFoundByMIME(t *testing.T) {
	for _, c := range codecs {
		if found, err := protocol.CodecFor(c.MIME()); found != c || err != nil {
			t.Errorf("%s: %v, %v", c.MIME(), found, err)
		}
	}
	_, err := protocol.CodecFor("text/plain")
	if err == nil || err.Error() != `data MIME type "text/plain": expected application/vnd.msgpack or application/json` {
		t.Errorf("%v", err)
	}
}
