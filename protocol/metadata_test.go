package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket/composite"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestMetadataRoundTrips(t *testing.T) {
	for _, m := range []protocol.Metadata{
		{},
		{Route: "warmline.conversation"},
		{Passport: []byte{0x93, 0xff, 0}},
		{Traceparent: traceparent},
		{Budget: 350 * time.Millisecond},
		{Route: "a.b", Passport: []byte("sealed"), Traceparent: traceparent, Budget: time.Hour},
	} {
		got, err := protocol.ParseMetadata(m.Append(nil))
		if d := cmp.Diff(m, got); err != nil || d != "" {
			t.Errorf("%+v: %v\n%s", m, err, d)
		}
	}
	if b := (&protocol.Metadata{}).Append(nil); len(b) != 0 {
		t.Errorf("no metadata is %x", b)
	}
}

// The route comes first, for whoever reads no further.
func TestMetadataIsExactlyItsBytes(t *testing.T) {
	m := protocol.Metadata{Route: "warmline.conversation", Passport: []byte("sealed"), Traceparent: traceparent, Budget: 350 * time.Millisecond}
	want := "fe 000016 15" + fmt.Sprintf("%x", "warmline.conversation") +
		"20" + fmt.Sprintf("%x", "application/vnd.warmline.passport") + "000006" + fmt.Sprintf("%x", "sealed") +
		"23" + fmt.Sprintf("%x", "application/vnd.warmline.traceparent") + "000037" + fmt.Sprintf("%x", traceparent) +
		"1e" + fmt.Sprintf("%x", "application/vnd.warmline.budget") + "000004 0000015e"
	if got := m.Append([]byte("before")); !bytes.Equal(got, append([]byte("before"), unhex(t, want)...)) {
		t.Errorf("%x, want %s", got, want)
	}
}

func TestBudgetsAreWholeMilliseconds(t *testing.T) {
	const most = math.MaxUint32 * time.Millisecond
	for sent, arrives := range map[time.Duration]time.Duration{
		0: 0, -time.Second: 0, time.Nanosecond: time.Millisecond, time.Millisecond: time.Millisecond,
		2*time.Millisecond - 1: time.Millisecond, most: most, most + time.Second: most, math.MaxInt64: most,
	} {
		m := protocol.Metadata{Budget: sent}
		if got, err := protocol.ParseMetadata(m.Append(nil)); err != nil || got.Budget != arrives {
			t.Errorf("%v arrives as %v, %v; want %v", sent, got.Budget, err, arrives)
		}
	}
}

func TestOtherEntriesArePassedOverAndTheFirstOfAKindCounts(t *testing.T) {
	b := composite.Append(nil, "application/x-newer", []byte("?"))
	b = append(b, 0x80|0x05, 0, 0, 2, '{', '}') // well known, to others
	b = (&protocol.Metadata{Route: "first", Passport: []byte("first"), Traceparent: traceparent, Budget: time.Second}).Append(b)
	b = composite.Append(b, "message/x.rsocket.mime-type.v0", nil)
	b = (&protocol.Metadata{Route: "second", Passport: []byte("second"), Traceparent: protocol.NewTraceparent(), Budget: time.Minute}).Append(b)
	got, err := protocol.ParseMetadata(b)
	want := protocol.Metadata{Route: "first", Passport: []byte("first"), Traceparent: traceparent, Budget: time.Second}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}

func TestInvalidTraceparentIsDropped(t *testing.T) {
	b := composite.Append(nil, protocol.MIMETraceparent, []byte("00-xyz"))
	b = composite.AppendRoute(b, "a.b")
	if got, err := protocol.ParseMetadata(b); err != nil || got.Traceparent != "" || got.Route != "a.b" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMalformedMetadata(t *testing.T) {
	for name, b := range map[string][]byte{
		"budget of 3 bytes":       composite.Append(nil, protocol.MIMEBudget, []byte{0, 0, 1}),
		"budget of 5 bytes":       composite.Append(nil, protocol.MIMEBudget, []byte{0, 0, 0, 0, 1}),
		"budget of none":          composite.Append(nil, protocol.MIMEBudget, nil),
		"a second budget like it": composite.Append((&protocol.Metadata{Budget: time.Second}).Append(nil), protocol.MIMEBudget, []byte{1}),
		"route past its end":      composite.Append(nil, composite.Routing, []byte{5, 'a'}),
		"no route":                composite.Append(nil, composite.Routing, nil),
		"entry past the end":      {0xfe, 0, 0, 9, 1, 'a'},
		"MIME type past the end":  {0x7f, 'a'},
		"no length":               {0xfe},
	} {
		if got, err := protocol.ParseMetadata(b); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: %+v, %v; want malformed", name, got, err)
		}
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add((&protocol.Metadata{Route: "a.b", Passport: []byte("sealed"), Traceparent: traceparent, Budget: time.Second}).Append(nil))
	f.Add(composite.Append(composite.AppendRoute(nil, ""), protocol.MIMEBudget, []byte{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := protocol.ParseMetadata(b)
		if err != nil {
			if !errors.Is(err, protocol.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if m.Traceparent != "" && !protocol.ValidTraceparent(m.Traceparent) || m.Budget < 0 {
			t.Fatalf("%+v", m)
		}
		again, err := protocol.ParseMetadata(m.Append(nil))
		if d := cmp.Diff(m, again, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
	})
}
