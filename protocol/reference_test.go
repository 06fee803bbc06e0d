package protocol_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

type path = []protocol.Step

func ref(call uint32, p ...protocol.Step) protocol.Reference {
	return protocol.Reference{Call: call, Path: p}
}

// results of two earlier calls, by their ids.
var results = map[uint32]any{
	1: map[string]any{
		"items": []any{
			map[string]any{"id": 17, "tags": []any{"a", "b"}, "title": "Amélie"},
			map[string]any{"id": 18, "tags": []any{}},
			map[string]any{"id": 300, "tags": []any{"c"}},
		},
		"none": nil, "": "no name", "n": 7,
	},
	2: []any{true, 1.5, "text"},
}

func resultsIn(t testing.TB, c protocol.Codec) func(uint32) (protocol.Raw, error) {
	return func(call uint32) (protocol.Raw, error) {
		v, ok := results[call]
		if !ok {
			return nil, protocol.Errorf(protocol.Unresolved, "call %d has not come", call)
		}
		return marshal(t, c, v), nil
	}
}

func TestReferencesAreReplaced(t *testing.T) {
	for _, tt := range []struct {
		name string
		args any
		want string // JSON
	}{
		{"a list of keys", map[string]any{"ids": ref(1, protocol.Key("items"), protocol.Each, protocol.Key("id"))}, `{"ids":[17,18,300]}`},
		{"all of it", ref(2), `[true,1.5,"text"]`},
		{"a key", []any{ref(1, protocol.Key("n"))}, `[7]`},
		{"an empty key, and nil", []any{ref(1, protocol.Key("")), ref(1, protocol.Key("none"))}, `["no name",null]`},
		{"an index", map[string]any{"a": 1, "b": ref(1, protocol.Key("items"), protocol.Index(2), protocol.Key("id")), "c": 3}, `{"a":1,"b":300,"c":3}`},
		{"a slice", ref(2, protocol.Slice(1, 3)), `[1.5,"text"]`},
		{"a slice to the end, and beyond", []any{ref(2, protocol.Slice(2, -1)), ref(2, protocol.Slice(1, 99)), ref(2, protocol.Slice(9, 99)), ref(2, protocol.Slice(2, 1))}, `[["text"],[1.5,"text"],[],[]]`},
		{"of each of a slice", ref(1, protocol.Key("items"), protocol.Slice(0, 2), protocol.Key("id")), `[17,18]`},
		{"lists of lists are joined", ref(1, protocol.Key("items"), protocol.Each, protocol.Key("tags"), protocol.Each), `["a","b","c"]`},
		{"but not where they are the parts", ref(1, protocol.Key("items"), protocol.Each, protocol.Key("tags")), `[["a","b"],[],["c"]]`},
		{"deep inside, several", map[string]any{"x": []any{map[string]any{"y": ref(2, protocol.Index(0))}, ref(2, protocol.Index(1))}}, `{"x":[{"y":true},1.5]}`},
		{"none", map[string]any{"$reference": 1}, `{"$reference":1}`},
	} {
		for _, c := range codecs {
			t.Run(tt.name+" in "+c.MIME(), func(t *testing.T) {
				got, err := c.Resolve(marshal(t, c, tt.args), plenty, resultsIn(t, c))
				if err != nil {
					t.Fatal(err)
				}
				var v any
				if err := c.Unmarshal(got, &v); err != nil {
					t.Fatalf("%x: %v", got, err)
				}
				b, err := json.Marshal(v)
				if err != nil || string(b) != tt.want {
					t.Errorf("got %s, %v, want %s", b, err, tt.want)
				}
			})
		}
	}
}

func TestReferencesThatLeadNowhere(t *testing.T) {
	items := protocol.Key("items")
	for _, tt := range []struct {
		name string
		args any
		want string
	}{
		{"no such key", ref(1, protocol.Key("itmes")), "unresolved: call 1: itmes: no such key"},
		{"no such key in one of them", ref(1, items, protocol.Each, protocol.Key("title")), "unresolved: call 1: items[1].title: no such key"},
		{"no such element", ref(1, items, protocol.Index(3)), "unresolved: call 1: items[3]: no such element"},
		{"a key of a list", ref(1, items, protocol.Key("id")), "unresolved: call 1: items.id: not a map"},
		{"each of a map", ref(1, protocol.Each), "unresolved: call 1: [*]: not a list"},
		{"each of a number in each", ref(1, items, protocol.Each, protocol.Key("id"), protocol.Slice(0, 1)), "unresolved: call 1: items[0].id[0:1]: not a list"},
		{"another call", ref(3), "unresolved: call 3 has not come"},
	} {
		for _, c := range codecs {
			_, err := c.Resolve(marshal(t, c, map[string]any{"x": tt.args}), plenty, resultsIn(t, c))
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s: %s: %v, want %s", c.MIME(), tt.name, err, tt.want)
			}
		}
	}
}

func TestReferencesAreBounded(t *testing.T) {
	long := map[uint32]any{1: strings.Repeat("x", 1000)}
	for _, c := range codecs {
		find := func(call uint32) (protocol.Raw, error) { return marshal(t, c, long[call]), nil }
		args := marshal(t, c, []any{ref(1), ref(1), ref(1)})
		if got, err := c.Resolve(args, 3100, find); err != nil || len(got) > 3100 {
			t.Errorf("%s: %d bytes, %v", c.MIME(), len(got), err)
		}
		if _, err := c.Resolve(args, 2900, find); protocol.AsError(err).Code != protocol.TooLarge {
			t.Errorf("%s: %v, want too_large", c.MIME(), err)
		}
		if _, err := c.Marshal(protocol.Reference{Call: 1, Path: make(path, 17)}); err == nil {
			t.Errorf("%s: a path of 17 steps is sent", c.MIME())
		}
	}
	// Each of these steps over a million bytes to get one.
	c := protocol.MsgPack
	far := make([]int, 100_001)
	result := marshal(t, c, map[string]any{"a": far})
	many := make([]protocol.Reference, 2000)
	for i := range many {
		many[i] = ref(1, protocol.Key("a"), protocol.Index(100_000))
	}
	_, err := c.Resolve(marshal(t, c, many), plenty, func(uint32) (protocol.Raw, error) { return result, nil })
	if protocol.AsError(err).Code != protocol.TooLarge {
		t.Errorf("%v, want too_large", err)
	}
}

func TestTheCallsOfReferencesAreListed(t *testing.T) {
	for _, c := range codecs {
		args := marshal(t, c, []any{1, ref(7, protocol.Key("a"), protocol.Index(0)), map[string]any{"b": ref(1<<32-1, protocol.Each)}, ref(7)})
		got, err := c.Calls(args)
		if want := []uint32{7, 1<<32 - 1, 7}; !slices.Equal(got, want) || err != nil {
			t.Errorf("%s: %d, %v, want %d", c.MIME(), got, err, want)
		}
	}
}

func TestReferencesSayWhatTheyReferTo(t *testing.T) {
	r := ref(1<<32-1, protocol.Each, protocol.Slice(1, 2), protocol.Slice(3, -1))
	if s := r.String(); s != "[*][1:2][3:] of call 4294967295" {
		t.Error(s)
	}
}

func TestReferencesAreRenumbered(t *testing.T) {
	paths := [][]protocol.Step{
		nil,
		{protocol.Key("x")},
		{protocol.Key(strings.Repeat("long", 70)), protocol.Index(70000)},
		{protocol.Key("a"), protocol.Each, protocol.Slice(1, 2), protocol.Slice(300, -1)},
		{protocol.Key(strings.Repeat("longer", 20000))},
	}
	args := func(from, to uint32) (was, is []any) {
		for i, path := range paths {
			call := uint32(i)
			was, is = append(was, ref(from*call, path...), "between"), append(is, ref(to*call, path...), "between")
		}
		return was, is
	}
	for _, c := range codecs {
		for _, to := range []uint32{0, 1, 50, 3000, 10_000_000} {
			was, is := args(100, to)
			got, err := c.Renumber(marshal(t, c, was), func(call uint32) (uint32, error) { return call / 100 * to, nil })
			if want := marshal(t, c, is); err != nil || string(got) != string(want) {
				t.Errorf("%s: %.100q, %v, want %.100q", c.MIME(), got, err, want)
			}
		}
		was, _ := args(1, 1)
		wrong := errors.New("wrong")
		if _, err := c.Renumber(marshal(t, c, was), func(uint32) (uint32, error) { return 0, wrong }); !errors.Is(err, wrong) {
			t.Errorf("%s: %v", c.MIME(), err)
		}
		if got, err := c.Renumber(marshal(t, c, "none"), nil); err != nil || string(got) != string(marshal(t, c, "none")) {
			t.Errorf("%s: %q, %v", c.MIME(), got, err)
		}
	}
}

func TestReferencesAreRewritten(t *testing.T) {
	for _, c := range codecs {
		args := marshal(t, c, map[string]any{"a": ref(1, protocol.Key("x")), "b": []any{2, ref(3)}})
		got, err := c.Rewrite(args, func(r protocol.Reference) (protocol.Raw, error) {
			if r.Call == 3 {
				return marshal(t, c, "three"), nil
			}
			return marshal(t, c, ref(10*r.Call, r.Path...)), nil
		})
		want := marshal(t, c, map[string]any{"a": ref(10, protocol.Key("x")), "b": []any{2, "three"}})
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v, want %q", c.MIME(), got, err, want)
		}
		wrong := errors.New("wrong")
		if _, err := c.Rewrite(args, func(protocol.Reference) (protocol.Raw, error) { return nil, wrong }); !errors.Is(err, wrong) {
			t.Errorf("%s: %v", c.MIME(), err)
		}
	}
}

func TestBytesOfAReference(t *testing.T) {
	r := ref(1, protocol.Key("items"), protocol.Each, protocol.Key("id"))
	if got := marshal(t, protocol.MsgPack, r); string(got) != string(unhex(t, "c7 0c 01 94 01 a5 6974656d73 c0 a2 6964")) {
		t.Errorf("%x", got)
	}
	if got := marshal(t, protocol.JSON, r); string(got) != `{"$ref":[1,"items",null,"id"]}` {
		t.Errorf("%s", got)
	}
}

func TestNoReferences(t *testing.T) {
	for _, text := range []string{
		`[{"$ref":[]}]`, `[{"$ref":1}]`, `[{"$ref":[-1]}]`, `[{"$ref":["1"]}]`, `[{"$ref":[1.5]}]`, `[{"$ref":[1,true]}]`,
		`[{"$ref":[1,-1]}]`, `[{"$ref":[1,[]]}]`, `[{"$ref":[1,[1,2,3]]}]`, `[{"$ref":[1,["a"]]}]`, `[{"$ref":[4294967296]}]`,
		`[{"$ref":[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]`,
	} {
		if _, err := protocol.JSON.Calls(protocol.Raw(text)); protocol.AsError(err).Code != protocol.InvalidArgument {
			t.Errorf("%s: %v, want invalid_argument", text, err)
		}
	}
	for _, digits := range []string{
		"d4 01 01", "d4 01 90", "d5 01 91 ff", "d5 01 91 c0", "d5 01 91 01", // the last is one
		"d6 01 92 01 c3 c3", "d6 01 91 01 c0 c0", "d6 01 92 01 a1 61",
	} {
		_, err := protocol.MsgPack.Calls(unhex(t, digits))
		if good := digits == "d5 01 91 01" || digits == "d6 01 92 01 a1 61"; good != (err == nil) || err != nil && protocol.AsError(err).Code != protocol.InvalidArgument {
			t.Errorf("%s: %v", digits, err)
		}
	}
	if _, err := protocol.MsgPack.Calls(unhex(t, "c7 05 01 df ffffffff")); protocol.AsError(err).Code != protocol.InvalidArgument {
		t.Errorf("a lie about its length: %v", err)
	}
	for _, c := range codecs {
		if _, err := c.Calls(protocol.Raw{0xc1}); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: %v, want malformed", c.MIME(), err)
		}
	}
}

// Whatever the arguments and the result are: no panic, the bound holds, and what
// comes out is a value without references that were not in the result.
func FuzzResolve(f *testing.F) {
	for _, c := range codecs {
		for _, args := range []any{ref(1), []any{ref(1, protocol.Key("items"), protocol.Each, protocol.Key("id"))}, ref(1, protocol.Slice(1, 2)), 7} {
			f.Add(c == protocol.JSON, []byte(marshal(f, c, args)), []byte(marshal(f, c, results[1])))
			f.Add(c == protocol.JSON, []byte(marshal(f, c, args)), []byte(marshal(f, c, results[2])))
		}
	}
	f.Fuzz(func(t *testing.T, inJSON bool, args, result []byte) {
		c := protocol.MsgPack
		if inJSON {
			c = protocol.JSON
		}
		var v any
		if len(result) > 1<<16 || c.Unmarshal(result, &v) != nil || c == protocol.MsgPack && protocol.DefaultLimits.Check(result) != nil {
			return // an edge keeps no such result
		}
		if calls, err := c.Calls(args); err == nil {
			next, err := c.Renumber(args, func(call uint32) (uint32, error) { return call + 1, nil })
			renumbered, wrong := c.Calls(next)
			for i := range calls {
				calls[i]++
			}
			if err != nil || wrong != nil || !slices.Equal(calls, renumbered) {
				t.Fatalf("%x: calls %d, %v, %v, want %d", next, renumbered, err, wrong, calls)
			}
		}
		const most = 4096
		got, err := c.Resolve(args, most, func(uint32) (protocol.Raw, error) { return result, nil })
		if err != nil {
			return
		}
		if len(got) > most {
			t.Fatalf("%d bytes, at most %d are allowed", len(got), most)
		}
		if c == protocol.MsgPack {
			if n, err := (protocol.Limits{Depth: 63, Elements: 1 << 30}).Walk(got); err != nil || n != len(got) {
				t.Fatalf("%x is no value: %d, %v", got, n, err)
			}
		} else if !json.Valid(got) {
			t.Fatalf("%q is no value", got)
		}
	})
}
