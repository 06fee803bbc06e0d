package frame

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseIsTheInverseOfAppend(t *testing.T) {
	md, data := []byte("meta"), []byte("data")
	setup := Setup{Version: Version1, KeepAlive: 1500 * time.Millisecond, Lifetime: time.Hour, MetadataMIME: "a/b", DataMIME: "c/d"}
	resumable := setup
	resumable.Token = []byte("token")
	for name, tt := range map[string]struct {
		wire []byte
		want Frame
	}{
		"setup":             {AppendSetup(nil, setup, FlagLease, md, data), Frame{Type: TypeSetup, Flags: FlagLease | FlagMetadata, Metadata: md, Data: data, Setup: &setup}},
		"setup, resumable":  {AppendSetup(nil, resumable, 0, nil, data), Frame{Type: TypeSetup, Flags: FlagResume, Data: data, Setup: &resumable}},
		"request":           {AppendRequest(nil, 1, TypeRequestResponse, 0, md, data), Frame{StreamID: 1, Type: TypeRequestResponse, Flags: FlagMetadata, Metadata: md, Data: data}},
		"no metadata":       {AppendRequest(nil, 1, TypeRequestFNF, 0, nil, data), Frame{StreamID: 1, Type: TypeRequestFNF, Data: data}},
		"empty metadata":    {AppendRequest(nil, 1, TypeRequestFNF, 0, []byte{}, data), Frame{StreamID: 1, Type: TypeRequestFNF, Flags: FlagMetadata, Metadata: []byte{}, Data: data}},
		"channel":           {AppendRequestMany(nil, 7, TypeRequestChannel, FlagComplete, 9, md, data), Frame{StreamID: 7, Type: TypeRequestChannel, Flags: FlagComplete | FlagMetadata, N: 9, Metadata: md, Data: data}},
		"payload":           {AppendPayload(nil, MaxCredit, FlagNext|FlagComplete, nil, data), Frame{StreamID: MaxCredit, Type: TypePayload, Flags: FlagNext | FlagComplete, Data: data}},
		"request n":         {AppendRequestN(nil, 3, MaxCredit), Frame{StreamID: 3, Type: TypeRequestN, N: MaxCredit}},
		"cancel":            {AppendCancel(nil, 3), Frame{StreamID: 3, Type: TypeCancel}},
		"error":             {AppendError(nil, 3, CodeInvalid, "why"), Frame{StreamID: 3, Type: TypeError, Code: CodeInvalid, Data: []byte("why")}},
		"keepalive":         {AppendKeepAlive(nil, true, math.MaxInt64, data), Frame{Type: TypeKeepAlive, Flags: FlagRespond, Position: math.MaxInt64, Data: data}},
		"keepalive, answer": {AppendKeepAlive(nil, false, 0, nil), Frame{Type: TypeKeepAlive, Data: []byte{}}},
		"metadata push":     {AppendMetadataPush(nil, md), Frame{Type: TypeMetadataPush, Flags: FlagMetadata, Metadata: md}},
	} {
		got, err := Parse(tt.wire)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryTruncationIsAnErrorOrAShorterPayload(t *testing.T) {
	setup := Setup{KeepAlive: time.Second, Lifetime: time.Second, MetadataMIME: "a/b", DataMIME: "c/d", Token: []byte("tt")}
	for name, tt := range map[string]struct {
		wire []byte
		data int // bytes of data at the end, which may be cut
	}{
		"setup":    {AppendSetup(nil, setup, 0, []byte("mm"), []byte("dd")), 2},
		"request":  {AppendRequest(nil, 1, TypeRequestResponse, 0, []byte("mm"), []byte("dd")), 2},
		"stream":   {AppendRequestMany(nil, 1, TypeRequestStream, 0, 1, []byte("mm"), []byte("dd")), 2},
		"n":        {AppendRequestN(nil, 1, 1), 0},
		"error":    {AppendError(nil, 1, CodeInvalid, "dd"), 2},
		"alive":    {AppendKeepAlive(nil, false, 1, []byte("dd")), 2},
		"lease":    {[]byte{0, 0, 0, 0, 0x08, 0, 0, 0, 0, 1, 0, 0, 0, 1}, 0},
		"resumeok": {[]byte{0, 0, 0, 0, 0x38, 0, 0, 0, 0, 1, 0, 0, 0, 1}, 0},
	} {
		for n := range tt.wire {
			_, err := Parse(tt.wire[:n:n])
			if _, ok := errors.AsType[*FormatError](err); ok != (n < len(tt.wire)-tt.data) {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(tt.wire), err)
			}
		}
	}
}

func TestNumbersOutOfRange(t *testing.T) {
	for name, b := range map[string][]byte{
		"stream id":            {0x80, 0, 0, 1, 0x28, 0x20},
		"n of 0":               {0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0},
		"n above 31 bits":      {0, 0, 0, 1, 0x20, 0, 0x80, 0, 0, 0},
		"keepalive position":   {0, 0, 0, 0, 0x0C, 0, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"lease of 32 bits":     {0, 0, 0, 0, 0x08, 0, 0x80, 0, 0, 0, 0, 0, 0, 1},
		"control byte in MIME": AppendSetup(nil, Setup{KeepAlive: time.Second, Lifetime: time.Second, MetadataMIME: "a\nb"}, 0, nil, nil),
		"lifetime of 0":        AppendSetup(nil, Setup{KeepAlive: time.Second}, 0, nil, nil),
	} {
		if f, err := Parse(b); err == nil {
			t.Errorf("%s was taken: %+v", name, f)
		}
	}
}

// FuzzParse proves that whatever parses lies within the frame and can be written again.
func FuzzParse(f *testing.F) {
	f.Add(AppendSetup(nil, Setup{KeepAlive: time.Second, Lifetime: time.Second, Token: []byte("t")}, 0, []byte("m"), []byte("d")))
	f.Add(AppendRequestMany(nil, 1, TypeRequestChannel, 0, 1, []byte("m"), []byte("d")))
	f.Add(AppendPayload(nil, 1, FlagNext, []byte("m"), []byte("d")))
	f.Add(AppendError(nil, 0, CodeInvalid, "x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		// The frame stands between canaries that no view may show or reach.
		canary := bytes.Repeat([]byte{0xCA}, 64)
		all := append(append(append([]byte{}, canary...), in...), canary...)
		b := all[64 : 64+len(in)]
		fr, err := Parse(b)
		if err != nil {
			return
		}
		if n := len(fr.Metadata) + len(fr.Data); n > len(in) {
			t.Fatalf("%d bytes of payload in a frame of %d", n, len(in))
		}
		if fr.Metadata != nil && !bytes.Contains(in, fr.Metadata) || !bytes.Contains(in, fr.Data) {
			t.Fatal("a view shows bytes from outside the frame")
		}
		if fr.Type == TypePayload {
			again, err := Parse(AppendPayload(nil, fr.StreamID, fr.Flags, fr.Metadata, fr.Data))
			if diff := cmp.Diff(fr, again); err != nil || diff != "" {
				t.Fatalf("%v %s", err, diff)
			}
		}
	})
}

func BenchmarkParsePayload(b *testing.B) {
	wire := AppendPayload(nil, 1, FlagNext, make([]byte, 32), make([]byte, 256))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(wire); err != nil {
			b.Fatal(err)
		}
	}
}
