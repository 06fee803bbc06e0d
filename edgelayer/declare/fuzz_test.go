package declare

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/examples"
	"warmline.dev/internal/golden"
	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
)

// Whatever a file holds, Parse says what is wrong with it or what New can run.
func FuzzParse(f *testing.F) {
	golden.Seed(f)
	f.Add(examples.Edge)
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("edge.yaml", text)
		if err != nil {
			if list, ok := err.(mistake.List); !ok || len(list) == 0 || len(list) > mistake.Most+1 || d != nil { //nolint:errorlint // it is never wrapped
				t.Fatalf("%v, %#v", d, err)
			}
			return
		}
		tier, err := New(d, Config{})
		if err != nil {
			t.Fatalf("what Parse takes can't be run: %v", err)
		}
		defer tier.Close()
		next, err := tier.Next(d)
		if err != nil {
			t.Fatal(err)
		}
		next.Close()
	})
}

// Whatever a source says, it is an error, or msgpack of the same value, that can be
// picked from and made into JSON again.
func FuzzTranscode(f *testing.F) {
	for _, s := range []string{
		`{"id":17,"made":{"by":"Lang"},"a":[1,-1.5,1e9,true,null,"\ud83c"]}`, `[]`, `"` + "\xff" + `"`,
		`{"a":1,"a":2}`, `18446744073709551616`, `[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]`, `{"` + "\x00" + `":{}}`, `1 1`, `-0`,
	} {
		f.Add([]byte(s))
	}
	p := &pick{names: [][]byte{msgp.AppendString(nil, "x"), msgp.AppendString(nil, "y"), msgp.AppendString(nil, "z")}}
	p.root.add(path{"id"}, 0)
	p.root.add(path{"made", "by"}, 1)
	p.root.add(path{"made"}, 2)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := transcode(text)
		if err != nil {
			return
		}
		if err := protocol.DefaultLimits.Check(v); err != nil {
			t.Fatalf("%q became %x: %v", text, v, err)
		}
		back, err := toJSON(v)
		if err != nil || !json.Valid(back) {
			t.Fatalf("%q became %x, and %q: %v", text, v, back, err)
		}
		if was, is := decoded(t, text), decoded(t, back); !reflect.DeepEqual(was, is) {
			t.Fatalf("%q became %q", text, back)
		}
		picked, err := p.append(nil, v)
		if err != nil {
			return
		}
		if err := protocol.DefaultLimits.Check(picked); err != nil {
			t.Fatalf("of %x was picked %x: %v", v, picked, err)
		}
		m, _ := decoded(t, text).(map[string]any)
		made, _ := m["made"].(map[string]any)
		for name, want := range map[string]func() (any, bool){
			"x": func() (any, bool) { v, ok := m["id"]; return v, ok },
			"y": func() (any, bool) { v, ok := made["by"]; return v, ok },
			"z": func() (any, bool) { v, ok := m["made"]; return v, ok },
		} {
			js, err := toJSON(picked)
			if err != nil {
				t.Fatal(err)
			}
			out, _ := decoded(t, js).(map[string]any)
			got, is := out[name]
			if v, ok := want(); is != ok || !reflect.DeepEqual(got, v) {
				t.Fatalf("%s picked of %q is %v, want %v", name, text, got, v)
			}
		}
	})
}

func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A key is the values that it was made of, and no other.
func FuzzKey(f *testing.F) {
	f.Add("paul", "17", false)
	f.Add("a/b", "%2F", false)
	f.Add("", "%_", true)
	f.Fuzz(func(t *testing.T, a, b string, none bool) {
		values := []value{{text: a}, {text: b, absent: none}}
		if none {
			values[1].text = ""
		}
		key := string(appendKey(nil, values, literal, ""))
		rd := &readDecl{asks: asks{vars: variables{"a", "b"}}, batch: &batch{each: 1}}
		back, err := rd.split(key)
		if err != nil || !reflect.DeepEqual(back, values) {
			t.Fatalf("%q: %+v, %v; want %+v", key, back, err, values)
		}
		other := string(appendKey(nil, values, 1, "other"))
		if rd.group(key) != rd.group(other) {
			t.Fatalf("%q and %q are not of one group", key, other)
		}
		if _, err := rd.split(a); err == nil && len(bytes.Split([]byte(a), []byte("/"))) != 2 {
			t.Fatalf("%q was taken for a key", a)
		}
	})
}
