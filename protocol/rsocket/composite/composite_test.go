package composite

import (
	"bytes"
	"testing"
)

func TestEntriesComeBackInOrder(t *testing.T) {
	b := AppendRoute(nil, "catalogue.videos")
	b = Append(b, "a/b", []byte("data"))
	b = append(b, 0x80|0x05, 0, 0, 2, '{', '}')
	b = Append(b, Routing, []byte{1, 'x'})
	want := []Entry{{Routing, append([]byte{16}, "catalogue.videos"...)}, {"a/b", []byte("data")}, {"0x05", []byte("{}")}, {Routing, []byte{1, 'x'}}}
	i := 0
	for e, err := range All(b) {
		if err != nil {
			t.Fatal(err)
		}
		if e.MIME != want[i].MIME || !bytes.Equal(e.Data, want[i].Data) {
			t.Errorf("entry %d: %q %q, want %q %q", i, e.MIME, e.Data, want[i].MIME, want[i].Data)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d entries, want %d", i, len(want))
	}
	if route, err := Route(want[0].Data); err != nil || route != "catalogue.videos" {
		t.Errorf("route %q, %v", route, err)
	}
}

func TestLengthsPastTheEndAreErrors(t *testing.T) {
	whole := Append(Append(nil, "a/b", []byte("data")), "c/d", nil)
	boundary := 1 + 3 + 3 + 4 // behind the first entry, where a cut leaves something whole
	for n := range whole {
		var last error
		for _, err := range All(whole[:n:n]) {
			last = err
		}
		if fine := n == 0 || n == boundary; (last == nil) != fine {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), last)
		}
	}
	for _, bad := range [][]byte{nil, {1}, {5, 'a'}} {
		if r, err := Route(bad); err == nil {
			t.Errorf("route of %v: %q", bad, r)
		}
	}
}

func FuzzAll(f *testing.F) {
	f.Add(Append(AppendRoute(nil, "r"), "a/b", []byte("d")))
	f.Fuzz(func(t *testing.T, in []byte) {
		total := 0
		for e, err := range All(in) {
			if err != nil {
				return
			}
			total += len(e.Data)
			if e.MIME == Routing {
				_, _ = Route(e.Data)
			}
		}
		if total > len(in) {
			t.Fatalf("%d bytes of entries in %d", total, len(in))
		}
	})
}
