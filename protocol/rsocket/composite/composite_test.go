package composite

import (
	"bytes"
	"strings"
	"testing"
)

func TestEntriesComeBackInOrder(t *testing.T) {
	b := AppendRoute(nil, "catalogue.videos")
	b = Append(b, "a/b", []byte("data"))
	b = append(b, 0x80|0x05, 0, 0, 2, '{', '}')
	b = append(b, 0x80|0x30, 0, 0, 1, '?')
	b = Append(b, Routing, []byte{1, 'x'})
	want := []Entry{{Routing, append([]byte{16}, "catalogue.videos"...)}, {"a/b", []byte("data")}, {"application/json", []byte("{}")}, {"0x30", []byte("?")}, {Routing, []byte{1, 'x'}}}
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

// The bytes as the extensions have them.
func TestLayouts(t *testing.T) {
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return b
	}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"a custom type: its length less one", Append(nil, "a/b", []byte("xy")), "\x02a/b\x00\x00\x02xy"},
		{"the longest type", Append(nil, strings.Repeat("t", 128), nil), "\x7F" + strings.Repeat("t", 128) + "\x00\x00\x00"},
		{"a well-known type", Append(nil, "application/json", []byte("{}")), "\x85\x00\x00\x02{}"},
		{"the length has three bytes", Append(nil, "text/plain", make([]byte, 0x10203))[:4], "\xA1\x01\x02\x03"},
		{"a route", AppendRoute(nil, "a.b"), "\xFE\x00\x00\x04\x03a.b"},
		{"tags", must(AppendTags(nil, "a.b", "", "ios")), "\xFE\x00\x00\x09\x03a.b\x00\x03ios"},
		{"no tags", must(AppendTags(nil)), "\xFE\x00\x00\x00"},
		{"user name and password", must(AppendSimple(nil, "ann", "secret")), "\xFC\x00\x00\x0C\x80\x00\x03annsecret"},
		{"a token", must(AppendBearer(nil, "a.b.c")), "\xFC\x00\x00\x06\x81a.b.c"},
		{"a custom authentication", must(AppendAuth(nil, "key", []byte{1})), "\xFC\x00\x00\x05\x02key\x01"},
		{"the type of the data", must(AppendDataMIME(nil, "application/json")), "\xFA\x00\x00\x01\x85"},
		{"a custom type of the data", must(AppendDataMIME(nil, "a/b")), "\xFA\x00\x00\x04\x02a/b"},
		{"the types that are accepted", must(AppendAcceptedMIMEs(nil, "application/cbor", "a/b", "text/plain")), "\xFB\x00\x00\x06\x81\x02a/b\xA1"},
		{"behind another entry", must(AppendBearer(AppendRoute(nil, "r"), "t")), "\xFE\x00\x00\x02\x01r\xFC\x00\x00\x02\x81t"},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestWellKnownTypes(t *testing.T) {
	count := 0
	for id := range 256 {
		name, ok := Name(byte(id))
		if reserved := id > 0x2A && id < 0x7A || id > 0x7F; ok == reserved {
			t.Errorf("%#02x is %q, %v", id, name, ok)
		}
		if !ok {
			continue
		}
		count++
		if back, ok := ID(name); !ok || back != byte(id) {
			t.Errorf("%q has the id %#02x, %v, want %#02x", name, back, ok, id)
		}
	}
	if count != 0x2B+6 || len(ids) != count {
		t.Errorf("%d types, %d ids", count, len(ids))
	}
	// A few, as the extension lists them.
	for id, want := range map[byte]string{0x00: "application/avro", 0x0F: "audio/mpeg3", 0x10: "audio/mpeg", 0x1D: "multipart/mixed", 0x25: "video/VP8", 0x2A: "application/x-flatbuffers", 0x7A: "message/x.rsocket.mime-type.v0", 0x7D: "message/x.rsocket.tracing-zipkin.v0", 0x7F: "message/x.rsocket.composite-metadata.v0"} {
		if got, _ := Name(id); got != want {
			t.Errorf("%#02x is %q, want %q", id, got, want)
		}
	}
	if id, ok := ID("a/b"); ok {
		t.Errorf("a/b has the id %#02x", id)
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
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	each := func(in string) (err error) {
		for _, err = range All([]byte(in)) {
		}
		return err
	}
	route := func(in string) error { _, err := Route([]byte(in)); return err }
	tags := func(in string) (err error) {
		for _, err = range Tags([]byte(in)) {
		}
		return err
	}
	auth := func(in string) error { _, err := ParseAuth([]byte(in)); return err }
	data := func(in string) error { _, err := DataMIME([]byte(in)); return err }
	accepted := func(in string) (err error) {
		for _, err = range AcceptedMIMEs([]byte(in)) {
		}
		return err
	}
	for _, tt := range []struct {
		parse    func(in string) error
		in, want string
	}{
		{each, "\x85\x00\x00\x00\x05a/b", "composite metadata, byte 4: a name of 6 bytes in the 3 that are left"},
		{each, "\x85\x00\x00", `composite metadata, byte 0: 2 bytes where the length of "application/json" takes 3`},
		{each, "\x85\x00\x00\x02x", `composite metadata, byte 0: 2 bytes of "application/json" in the 1 that are left`},
		{route, "", "routing metadata without a tag"},
		{route, "\x01", "routing metadata, byte 0: a tag of 1 bytes in the 0 that are left"},
		{route, "\x05a", "routing metadata, byte 0: a tag of 5 bytes in the 1 that are left"},
		{tags, "\x01a\x02b", "routing metadata, byte 2: a tag of 2 bytes in the 1 that are left"},
		{auth, "", "authentication metadata: no bytes, expected a name"},
		{auth, "\x02ab", "authentication metadata: a name of 3 bytes in the 2 that are left"},
		{auth, "\x80\x00", "authentication metadata, byte 1: 1 bytes where the length of the user name takes 2"},
		{auth, "\x80\x00\x03an", "authentication metadata, byte 3: a user name of 3 bytes in the 2 that are left"},
		{data, "", "MIME type metadata: no bytes, expected a name"},
		{data, "\x85\x85", `MIME type metadata: 1 bytes after "application/json", expected none`},
		{accepted, "\x85\x02ab", "accepted MIME types, byte 1: a name of 3 bytes in the 2 that are left"},
	} {
		if err := tt.parse(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v, want %s", tt.in, err, tt.want)
		}
	}
}

func TestWhatCannotBeWrittenIsNotHalfWritten(t *testing.T) {
	before := AppendRoute(nil, "r")
	long := strings.Repeat("x", 1<<24)
	for want, write := range map[string]func([]byte) ([]byte, error){
		"routing.v0: tag 1 is 256 bytes, expected at most 255":                                          func(b []byte) ([]byte, error) { return AppendTags(b, "a", long[:256]) },
		"authentication.v0: the user name is 65536 bytes, expected at most 65535":                       func(b []byte) ([]byte, error) { return AppendSimple(b, long[:1<<16], "") },
		"authentication.v0: 16777217 bytes, expected at most 16777215":                                  func(b []byte) ([]byte, error) { return AppendBearer(b, long) },
		`authentication.v0: the name "" is 0 bytes, expected 1 to 128`:                                  func(b []byte) ([]byte, error) { return AppendAuth(b, "", nil) },
		"authentication.v0: the type simple is not a custom one: expected AppendSimple or AppendBearer": func(b []byte) ([]byte, error) { return AppendAuth(b, "simple", nil) },
		`mime-type.v0: the name "a b" has 0x20 at byte 1, expected printable ASCII`:                     func(b []byte) ([]byte, error) { return AppendDataMIME(b, "a b") },
		`accept-mime-types.v0: the name "` + long[:129] + `" is 129 bytes, expected 1 to 128`:           func(b []byte) ([]byte, error) { return AppendAcceptedMIMEs(b, "text/css", long[:129]) },
		`accept-mime-types.v0: the name "caf` + "é" + `" has 0xc3 at byte 3, expected printable ASCII`:  func(b []byte) ([]byte, error) { return AppendAcceptedMIMEs(b, "café") },
	} {
		b, err := write(before)
		if err == nil || err.Error() != "message/x.rsocket."+want {
			t.Errorf("%v, want %s", err, want)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("%s: something was appended", want)
		}
	}
}

func TestAuth(t *testing.T) {
	for in, want := range map[string]Auth{
		"\x80\x00\x03annsecret":    {Type: Simple, Username: []byte("ann"), Password: []byte("secret")},
		"\x80\x00\x00":             {Type: Simple},
		"\x81a.b.c":                {Type: Bearer, Token: []byte("a.b.c")},
		"\x81":                     {Type: Bearer},
		"\x05simple\x00\x01ab":     {Type: Simple, Username: []byte("a"), Password: []byte("b")}, // spelled out
		"\x02key\x01\x02":          {Type: "key", Payload: []byte{1, 2}},
		"\x85anything":             {Type: "0x05", Payload: []byte("anything")},
		"\x00k":                    {Type: "k"},
		"\x80\x00\x01\xFF\x00\xFF": {Type: Simple, Username: []byte{0xFF}, Password: []byte{0, 0xFF}},
	} {
		got, err := ParseAuth([]byte(in))
		if err != nil || got.Type != want.Type || !bytes.Equal(got.Username, want.Username) || !bytes.Equal(got.Password, want.Password) || !bytes.Equal(got.Token, want.Token) || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%q is %+v, %v, want %+v", in, got, err, want)
		}
	}
}

func TestTagsAndAcceptedTypesComeBack(t *testing.T) {
	var got []string
	for tag, err := range Tags([]byte("\x03a.b\x00\x03ios")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(tag))
	}
	for mime, err := range AcceptedMIMEs([]byte("\x81\x02a/b\xB0")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, mime)
	}
	if s := strings.Join(got, ","); s != "a.b,,ios,application/cbor,a/b,0x30" {
		t.Error(s)
	}
	for mime, in := range map[string]string{"application/json": "\x85", "a/b": "\x02a/b", "0x30": "\xB0"} {
		if got, err := DataMIME([]byte(in)); err != nil || got != mime {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
}

func TestCodecsDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 1000)
	var all []byte
	write := func() {
		b := Append(buf, "application/json", []byte("{}"))
		b = AppendRoute(b, "catalogue.videos")
		b, _ = AppendTags(b, "a", "b")
		b, _ = AppendSimple(b, "ann", "secret")
		b, _ = AppendBearer(b, "token")
		b, _ = AppendDataMIME(b, "a/b")
		all, _ = AppendAcceptedMIMEs(b, "text/css", "text/csv")
	}
	if n := testing.AllocsPerRun(100, write); n > 0 {
		t.Errorf("writing allocates %v times", n)
	}
	read := func() {
		for e, err := range All(all) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.MIME {
			case Routing:
				for range Tags(e.Data) {
				}
			case Authentication:
				_, _ = ParseAuth(e.Data)
			case AcceptMIMEs:
				for range AcceptedMIMEs(e.Data) {
				}
			}
		}
	}
	if n := testing.AllocsPerRun(100, read); n > 0 {
		t.Errorf("reading allocates %v times", n)
	}
}

func FuzzAll(f *testing.F) {
	f.Add(Append(AppendRoute(nil, "r"), "a/b", []byte("d")))
	f.Add([]byte("\xFC\x00\x00\x0C\x80\x00\x03annsecret\xFA\x00\x00\x01\x85\xFB\x00\x00\x06\x81\x02a/b\xA1"))
	f.Fuzz(func(t *testing.T, in []byte) {
		total := 0
		var again []byte
		for e, err := range All(in) {
			if err != nil {
				return
			}
			total += len(e.Data)
			again = Append(again, e.MIME, e.Data)
			_, _ = Route(e.Data)
			_, _ = ParseAuth(e.Data)
			_, _ = DataMIME(e.Data)
			size := 0
			for tag, err := range Tags(e.Data) {
				if err == nil {
					size += 1 + len(tag)
				}
			}
			for mime := range AcceptedMIMEs(e.Data) {
				_ = mime
			}
			if size > len(e.Data) {
				t.Fatalf("%d bytes of tags in %d", size, len(e.Data))
			}
		}
		if total > len(in) {
			t.Fatalf("%d bytes of entries in %d", total, len(in))
		}
		a, b := entries(t, in), entries(t, again)
		if len(a) != len(b) {
			t.Fatalf("%d entries, written again %d", len(a), len(b))
		}
		for i := range a {
			if a[i].MIME != b[i].MIME || !bytes.Equal(a[i].Data, b[i].Data) {
				t.Fatalf("entry %d: %q, written again %q", i, a[i], b[i])
			}
		}
	})
}

func entries(t *testing.T, b []byte) (all []Entry) {
	for e, err := range All(b) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// FuzzAuth: what is parsed is written as it was, names spelled out aside.
func FuzzAuth(f *testing.F) {
	f.Add([]byte("\x80\x00\x03annsecret"))
	f.Add([]byte("\x81a.b.c"))
	f.Add([]byte("\x02key\x01\x02"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := ParseAuth(in)
		if err != nil {
			return
		}
		var b []byte
		switch a.Type {
		case Simple:
			b, err = AppendSimple(nil, string(a.Username), string(a.Password))
		case Bearer:
			b, err = AppendBearer(nil, string(a.Token))
		default:
			b, err = AppendAuth(nil, a.Type, a.Payload)
			if err != nil {
				return // a name that is no printable ASCII
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseAuth(b[4:])
		if err != nil || again.Type != a.Type || !bytes.Equal(again.Username, a.Username) || !bytes.Equal(again.Password, a.Password) || !bytes.Equal(again.Token, a.Token) || !bytes.Equal(again.Payload, a.Payload) {
			t.Fatalf("%+v, written again %+v, %v", a, again, err)
		}
	})
}
