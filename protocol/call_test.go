package protocol_test

import (
	"bytes"
	"testing"

	"warmline.dev/protocol"
)

// A call as it stands is what NextMessage makes of the same bytes, and nothing else
// is taken for a call.
func TestACallAsItStands(t *testing.T) {
	next := []byte{0x92, 2, 9}
	for _, c := range codecs {
		encoded, _, arriving := goldenFor(t, c)
		for i, b := range encoded {
			want := arriving[i]
			common := c == protocol.MsgPack && want.Kind == protocol.KindCall && want.How.Parts == 0
			for most, ok := range map[int]bool{len(b): common, len(b) - 1: false} {
				call, rest, got := c.NextCall(append(bytes.Clone(b), next...), most)
				if got != ok {
					t.Errorf("%s: %s in %d bytes: %v, want %v", c.MIME(), golden[i].name, most, got, ok)
				}
				if d := diff(want, call.Message()); ok && (d != "" || !bytes.Equal(rest, next)) {
					t.Errorf("%s: %s: %x left\n%s", c.MIME(), golden[i].name, rest, d)
				}
			}
		}
	}
}

func TestWhatIsNoCallAsItStands(t *testing.T) {
	for _, b := range []string{
		"", "\x94", "\x94\x01", "\x94\x01\x01\xa3a.b", // not all there
		"\x94\x01\xff\xa3a.b\x80", "\x94\x01\xce\xff\xff\xff\xff\x01\x80", "\x94\x01\xc0\xa3a.b\x80", "\x94\x01\x01\xc0\x80", // wrong elements
		"\x94\x01\x01\xa3a.b\xdd\xff\xff\xff\xff", "\x94\x01\x01\xa3a.b\xc1", // wrong arguments
		"\x94\x03\x01\xa3a.b\x80", "\x93\x01\x01\xa3a.b", "\x81\x01\x01", // other messages, or none
	} {
		if c, _, ok := protocol.MsgPack.NextCall([]byte(b), plenty); ok {
			t.Errorf("%x is taken for %+v", b, c)
		}
	}
}
