package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warmline.dev/protocol"
)

// golden is one message of each kind, byte by byte as docs/protocol.md prints it.
var golden = []struct {
	name    string
	m       protocol.Message
	value   any // encoded, m.Value
	msgpack string
	json    string
}{
	{
		name: "call", m: protocol.Message{Kind: protocol.KindCall, ID: 1, Method: "catalogue.videos"}, value: map[string]any{"ids": []int64{7, 300}},
		msgpack: "94 01 01 b0 636174616c6f6775652e766964656f73 81 a3 696473 92 07 cd 012c",
		json:    `[1,1,"catalogue.videos",{"ids":[7,300]}]`,
	},
	{
		name: "cancel", m: protocol.Message{Kind: protocol.KindCancel, ID: 1},
		msgpack: "92 02 01",
		json:    `[2,1]`,
	},
	{
		name: "reply", m: protocol.Message{Kind: protocol.KindReply, ID: 70_000}, value: map[string]any{"title": "Amélie"},
		msgpack: "93 03 ce 00011170 81 a5 7469746c65 a7 416dc3a96c6965",
		json:    `[3,70000,{"title":"Amélie"}]`,
	},
	{
		name: "failure", m: protocol.Message{Kind: protocol.KindFailure, ID: 1, Failure: &protocol.Error{Code: protocol.Overloaded, Message: "64 calls are under way", Retry: true}},
		msgpack: "95 04 01 aa 6f7665726c6f61646564 b6 36342063616c6c732061726520756e64657220776179 c3",
		json:    `[4,1,"overloaded","64 calls are under way",true]`,
	},
	{
		name: "part", m: protocol.Message{Kind: protocol.KindPart, ID: 2}, value: "row 1",
		msgpack: "93 05 02 a5 726f772031",
		json:    `[5,2,"row 1"]`,
	},
	{
		name: "passport", m: protocol.Message{Kind: protocol.KindPassport, Passport: []byte("sealed\xff")},
		msgpack: "92 06 c4 07 7365616c6564ff",
		json:    `[6,"c2VhbGVk/w=="]`,
	},
	{
		name: "more", m: protocol.Message{Kind: protocol.KindMore, ID: 2, More: 300},
		msgpack: "93 07 02 cd 012c",
		json:    `[7,2,300]`,
	},
	{
		name: "call that says how", m: protocol.Message{
			Kind: protocol.KindCall, ID: 3, Method: "a.b", How: protocol.How{References: true, Keep: true, Fresh: true, After: []uint32{1, 70_000}, Parts: 32},
		},
		value:   map[string]any{"ids": protocol.Reference{Call: 1, Path: []protocol.Step{protocol.Key("id")}}},
		msgpack: "95 01 03 a3 612e62 81 a3 696473 c7 05 01 92 01 a2 6964 85 a4 72656673 c3 a4 6b656570 c3 a5 6672657368 c3 a5 6166746572 92 01 ce 00011170 a5 7061727473 20",
		json:    `[1,3,"a.b",{"ids":{"$ref":[1,"id"]}},{"refs":true,"keep":true,"fresh":true,"after":[1,70000],"parts":32}]`,
	},
	{
		name: "reply that notes something", m: protocol.Message{Kind: protocol.KindReply, ID: 3, Note: protocol.Note{View: true}}, value: 7,
		msgpack: "94 03 03 07 81 a4 76696577 c3",
		json:    `[3,3,7,{"view":true}]`,
	},
}

// goldenFor is the golden messages in one codec, as they are sent and as they arrive.
func goldenFor(t testing.TB, c protocol.Codec) (encoded [][]byte, sent, arriving []protocol.Message) {
	for _, g := range golden {
		b := []byte(g.json)
		if c == protocol.MsgPack {
			b = unhex(t, g.msgpack)
		}
		m := g.m
		if g.value != nil {
			m.Value = marshal(t, c, g.value)
		}
		encoded, sent = append(encoded, b), append(sent, m)
		if m.Failure != nil {
			told := *m.Failure
			told.Remote = true // it is the peer's by now
			m.Failure = &told
		}
		arriving = append(arriving, m)
	}
	return encoded, sent, arriving
}

func diff(want, got protocol.Message) string {
	return cmp.Diff(want, got, cmpopts.IgnoreUnexported(protocol.Error{}))
}

const plenty = 1 << 20

func TestEveryKindIsExactlyItsBytes(t *testing.T) {
	for _, c := range codecs {
		encoded, sent, arriving := goldenFor(t, c)
		for i, want := range encoded {
			name := c.MIME() + ": " + golden[i].name
			got, err := c.AppendMessage([]byte("before "), &sent[i])
			if err != nil || !bytes.Equal(got, append([]byte("before "), want...)) {
				t.Errorf("%s:\n%x %q, %v, want behind \"before \"\n%x %q", name, got, got, err, want, want)
			}
			m, rest, err := c.NextMessage(bytes.Clone(want), len(want))
			if err != nil || len(rest) != 0 {
				t.Errorf("%s: %v, %d bytes left", name, err, len(rest))
			}
			if d := diff(arriving[i], m); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	}
}

// The kinds are seven, and the first golden messages are all of them.
func TestGoldenMessagesAreOfEveryKind(t *testing.T) {
	for i, g := range golden[:protocol.KindMore] {
		if int(g.m.Kind) != i+1 {
			t.Errorf("%s is kind %d, want %d", g.name, g.m.Kind, i+1)
		}
	}
	const next = protocol.KindMore + 1
	if m, _, err := protocol.JSON.NextMessage(fmt.Appendf(nil, "[%d]", next), plenty); err != nil || m.ID != 0 {
		t.Errorf("kind %d is known: %+v, %v", next, m, err)
	}
}

// What a newer peer puts into the map behind a call is passed over; a map that is
// none is malformed.
func TestTheMapBehindACall(t *testing.T) {
	for _, c := range codecs {
		m, _, err := c.NextMessage(fromJSON(t, c, `[1,1,"a.b",null,{"priority":{"a":[1]},"fresh":true}]`), plenty)
		if err != nil || !m.How.Fresh || m.How.Keep {
			t.Errorf("%s: %+v, %v", c.MIME(), m.How, err)
		}
		for _, in := range []string{`1`, `"x"`, `{"fresh":1}`, `{"after":["x"]}`, `{"after":1}`, `{"parts":-1}`, `{"after":[4294967296]}`, `{"parts":4294967296}`} {
			in = fmt.Sprintf(`[1,1,"a.b",null,%s]`, in)
			if m, _, err := c.NextMessage(fromJSON(t, c, in), plenty); !errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s: %s: %+v, %v; want malformed", c.MIME(), in, m.How, err)
			}
		}
	}
}

func TestAValueThatIsNoneIsNil(t *testing.T) {
	for _, c := range codecs {
		for _, none := range []protocol.Raw{nil, {}} {
			for _, kind := range []protocol.Kind{protocol.KindCall, protocol.KindReply, protocol.KindPart} {
				b, err := c.AppendMessage(nil, &protocol.Message{Kind: kind, ID: 1, Value: none})
				if err != nil {
					t.Fatalf("%s: kind %d: %v", c.MIME(), kind, err)
				}
				m, _, err := c.NextMessage(b, plenty)
				v := &inner{7}
				if err := errors.Join(err, c.Unmarshal(m.Value, &v)); err != nil || v != nil {
					t.Errorf("%s: kind %d: %v, %v", c.MIME(), kind, v, err)
				}
			}
		}
	}
}

func TestMessagesBehindOneAnother(t *testing.T) {
	for _, c := range codecs {
		encoded, _, arriving := goldenFor(t, c)
		payloads := [][]byte{bytes.Join(encoded, nil)}
		if c == protocol.JSON {
			payloads = append(payloads, bytes.Join(encoded, []byte(" \r\n\t")), append(bytes.Join(encoded, nil), '\n'))
		}
		for _, b := range payloads {
			whole, read := bytes.Clone(b), []protocol.Message(nil)
			for len(b) > 0 {
				m, rest, err := c.NextMessage(b, plenty)
				if err != nil {
					t.Fatalf("%s: behind %d messages: %v", c.MIME(), len(read), err)
				}
				read, b = append(read, m), rest
			}
			clear(whole)
			if len(read) != len(arriving) {
				t.Fatalf("%s: %d messages, want %d", c.MIME(), len(read), len(arriving))
			}
			for i := range read {
				if d := diff(arriving[i], read[i]); d != "" {
					t.Errorf("%s: %s:\n%s", c.MIME(), golden[i].name, d)
				}
			}
		}
	}
}

// The value may be part of the payload: what is appended to it goes elsewhere.
func TestAppendingToAValueLeavesThePayload(t *testing.T) {
	for _, c := range codecs {
		encoded, _, _ := goldenFor(t, c)
		for i, b := range encoded {
			payload := append(bytes.Clone(b), " what follows"...)
			whole := bytes.Clone(payload)
			m, _, err := c.NextMessage(payload, plenty)
			if _ = append(m.Value, 1, 2, 3); err != nil || !bytes.Equal(payload, whole) {
				t.Errorf("%s: %s: %v; %q is %q now", c.MIME(), golden[i].name, err, whole, payload)
			}
		}
	}
}

func TestOversizedKeepsKindAndIDAndTheRestIsRead(t *testing.T) {
	for _, c := range codecs {
		encoded, _, arriving := goldenFor(t, c)
		for i, b := range encoded {
			next := encoded[(i+1)%len(encoded)]
			m, rest, err := c.NextMessage(append(bytes.Clone(b), next...), len(b)-1)
			want := protocol.Message{Kind: arriving[i].Kind, ID: arriving[i].ID, Oversized: true}
			if d := diff(want, m); err != nil || d != "" {
				t.Errorf("%s: %s: %v\n%s", c.MIME(), golden[i].name, err, d)
			}
			m, _, err = c.NextMessage(rest, plenty)
			if d := diff(arriving[(i+1)%len(encoded)], m); err != nil || d != "" {
				t.Errorf("%s: behind an oversized %s: %v\n%s", c.MIME(), golden[i].name, err, d)
			}
		}
	}
}

func TestUnknownKindsAreIgnored(t *testing.T) {
	for _, in := range []string{"[0]", "[8]", "[8,1]", `[8,"x",null,{"a":[1]}]`, "[255,1,2,3,4,5,6,7,8,9]", "[128,-1]"} {
		for _, most := range []int{0, plenty} {
			for _, c := range codecs {
				b := fromJSON(t, c, in)
				cancel, err := c.AppendMessage(nil, &protocol.Message{Kind: protocol.KindCancel, ID: 9})
				if err != nil {
					t.Fatal(err)
				}
				m, rest, err := c.NextMessage(append(b, cancel...), most)
				if err != nil || m.Kind >= protocol.KindCall && m.Kind <= protocol.KindMore {
					t.Errorf("%s: %s: kind %d, %v", c.MIME(), in, m.Kind, err)
				}
				if m, _, err := c.NextMessage(rest, plenty); err != nil || m.Kind != protocol.KindCancel || m.ID != 9 {
					t.Errorf("%s: behind %s: %+v, %v", c.MIME(), in, m, err)
				}
			}
		}
	}
}

// fromJSON is JSON text in a codec.
func fromJSON(t testing.TB, c protocol.Codec, text string) []byte {
	t.Helper()
	var v any
	if err := protocol.JSON.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return marshal(t, c, v)
}

func TestWhatIsNoMessageIsMalformed(t *testing.T) {
	for _, in := range []string{
		"null", "1", `"x"`, "{}", `{"kind":1}`, "[]", // no array with a kind
		"[null]", `["1",1]`, "[[1],1]", "[1.5,1]", "[-1,1]", "[256,1]", "[257,1]", "[4294967297,1]", "[true,1]", // no kind
		"[1]", `[1,1,"a.b"]`, `[1,1,"a.b",1,2]`, "[2]", "[2,1,1]", "[3,1]", "[3,1,2,3]", "[7]", "[7,1]", "[7,1,2,3]", "[7,1,null]", "[7,1,-1]", // no size of that kind
		`[4,1,"internal","m"]`, `[4,1,"internal","m",true,1]`, "[5,1]", "[5,1,2,3]", "[6]", `[6,"c2VhbGVk","x"]`,
		"[2,null]", `[2,"1"]`, "[2,-1]", "[2,1.5]", "[2,4294967296]", "[2,[1]]", "[2,{}]", "[2,true]", // no id
		`[1,"1","a.b",1]`, `[3,-1,1]`, `[4,4294967297,"internal","m",true]`, `[5,null,1]`,
		"[1,1,7,1]", "[1,1,null,1]", `[1,1,["a.b"],1]`, "[1,1,{},1]", // no method
		`[4,1,3,"m",true]`, `[4,1,null,"m",true]`, `[4,1,["internal"],"m",true]`, // no code
		`[4,1,"internal",3,true]`, `[4,1,"internal",null,true]`, `[4,1,"internal",{},true]`, // no text
		`[4,1,"internal","m",1]`, `[4,1,"internal","m",null]`, `[4,1,"internal","m","true"]`, // no flag
		"[6,7]", "[6,{}]", "[6,true]", `[6,["x"]]`, // no bytes
	} {
		for _, c := range codecs {
			if m, _, err := c.NextMessage(fromJSON(t, c, in), plenty); !errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("%s: %s: %+v, %v; want malformed", c.MIME(), in, m, err)
			}
		}
	}
	for _, in := range []string{"", " ", "[", "[2", "[2,", "[2,1", "]", `[6,"not base64"]`, "[2,1e99]", "\x92\x02\x01"} {
		if m, _, err := protocol.JSON.NextMessage([]byte(in), plenty); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("JSON: %q: %+v, %v; want malformed", in, m, err)
		}
	}
	for _, in := range []string{
		"", "c1", "dd ffffffff", "95 04 01 dd ffffffff", "93 03 01 df ffffffff", "[2,1]", // bytes
		"92 cd 0101 01", "92 cf 0000000100000002 01", "92 02 cf 0000000100000001", "92 02 ff", "92 02 ca 3f800000", // integers that would be cut to size
		"d4 00 92", "92 d4 00 02 01", "92 02 d6 ff 00000001", "94 01 01 d4 00 a0 c0", // extensions
	} {
		b := []byte(in)
		if in != "[2,1]" {
			b = unhex(t, in)
		}
		if m, _, err := protocol.MsgPack.NextMessage(b, plenty); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("msgpack: %s: %+v, %v; want malformed", in, m, err)
		}
	}
}

func TestIDsTakeTheirWholeRange(t *testing.T) {
	for _, c := range codecs {
		for _, id := range []uint32{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1} {
			b, err := c.AppendMessage(nil, &protocol.Message{Kind: protocol.KindCancel, ID: id})
			if err != nil {
				t.Fatal(err)
			}
			if m, _, err := c.NextMessage(b, plenty); err != nil || m.ID != id {
				t.Errorf("%s: id %d: %d, %v", c.MIME(), id, m.ID, err)
			}
		}
	}
}

func TestMessagesCutShortAreMalformed(t *testing.T) {
	for _, c := range codecs {
		encoded, _, _ := goldenFor(t, c)
		for i, b := range encoded {
			for n := range b {
				for _, most := range []int{0, plenty} {
					if m, _, err := c.NextMessage(b[:n:n], most); !errors.Is(err, protocol.ErrMalformed) {
						t.Errorf("%s: %s cut to %d of %d bytes: %+v, %v", c.MIME(), golden[i].name, n, len(b), m, err)
					}
				}
			}
		}
	}
}

func TestFailuresArrive(t *testing.T) {
	for _, c := range codecs {
		for name, code := range map[string]protocol.Code{"not_found": protocol.NotFound, "of_a_newer_peer": protocol.Unknown, "": protocol.Unknown} {
			m, _, err := c.NextMessage(fromJSON(t, c, fmt.Sprintf(`[4,1,%q,"why",true]`, name)), plenty)
			if err != nil {
				t.Fatalf("%s: %q: %v", c.MIME(), name, err)
			}
			if f := m.Failure; f.Code != code || f.Message != "why" || !f.Retry || !f.Remote || f.Unwrap() != nil {
				t.Errorf("%s: %q: %+v", c.MIME(), name, f)
			}
		}
	}
}

func FuzzNextMessage(f *testing.F) {
	for i, c := range codecs {
		encoded, _, _ := goldenFor(f, c)
		for _, b := range append(encoded, bytes.Join(encoded, nil)) {
			f.Add(b, i == 1, 16)
		}
	}
	f.Add([]byte("[8,{}] [2,null]"), true, 100)
	f.Add([]byte("\x92\xcd\x01\x02\x01"), false, 100)
	f.Fuzz(func(t *testing.T, b []byte, isJSON bool, most int) {
		c := protocol.MsgPack
		if isJSON {
			c = protocol.JSON
		}
		for len(b) > 0 {
			m, rest, err := c.NextMessage(b, len(b))
			if err != nil {
				if !errors.Is(err, protocol.ErrMalformed) {
					t.Fatalf("%v", err)
				}
				return
			}
			if len(rest) >= len(b) || m.Oversized {
				t.Fatalf("%d of %d bytes left, oversized: %v", len(rest), len(b), m.Oversized)
			}
			head, after, err := c.NextMessage(b, most)
			if err != nil || head.Kind != m.Kind || head.ID != m.ID || len(after) != len(rest) {
				t.Fatalf("within %d bytes: %+v, %d left, %v; in full: %+v, %d left", most, head, len(after), err, m, len(rest))
			}
			if call, after, ok := c.NextCall(b, len(b)); ok && (diff(m, call.Message()) != "" || len(after) != len(rest)) {
				t.Fatalf("as it stands: %+v, %d left; %+v, %d left", call, len(after), m, len(rest))
			}
			if b = rest; m.Kind < protocol.KindCall || m.Kind > protocol.KindMore {
				continue
			}
			// What was read can be sent, and arrives as it was sent.
			sent, err := c.AppendMessage(nil, &m)
			if err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
			again, rest, err := c.NextMessage(sent, len(sent))
			if err != nil || len(rest) > 0 || again.Kind != m.Kind || again.ID != m.ID {
				t.Fatalf("%q: %+v, %d left, %v", sent, again, len(rest), err)
			}
			if back, err := c.AppendMessage(nil, &again); err != nil || !bytes.Equal(back, sent) {
				t.Fatalf("sent %q, then %q, %v", sent, back, err)
			}
			var v any
			_ = c.Unmarshal(m.Value, &v)
		}
	})
}
