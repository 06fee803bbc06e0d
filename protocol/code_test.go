package protocol_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

// codes is docs/protocol.md's table of them.
var codes = []struct {
	code   protocol.Code
	number uint32
	name   string
	status int // HTTP
}{
	{protocol.Canceled, 0x301, "canceled", 499},
	{protocol.DeadlineExceeded, 0x302, "deadline_exceeded", http.StatusGatewayTimeout},
	{protocol.InvalidArgument, 0x303, "invalid_argument", http.StatusBadRequest},
	{protocol.UnknownMethod, 0x304, "unknown_method", http.StatusNotFound},
	{protocol.Unauthenticated, 0x305, "unauthenticated", http.StatusUnauthorized},
	{protocol.Forbidden, 0x306, "forbidden", http.StatusForbidden},
	{protocol.NotFound, 0x307, "not_found", http.StatusNotFound},
	{protocol.TooLarge, 0x308, "too_large", http.StatusRequestEntityTooLarge},
	{protocol.Overloaded, 0x309, "overloaded", http.StatusServiceUnavailable},
	{protocol.Unavailable, 0x30A, "unavailable", http.StatusServiceUnavailable},
	{protocol.Internal, 0x30B, "internal", http.StatusInternalServerError},
	{protocol.Unsatisfied, 0x30C, "unsatisfied", http.StatusNotFound},
	{protocol.Unresolved, 0x30D, "unresolved", http.StatusInternalServerError},
	{protocol.Uncertain, 0x30E, "uncertain", http.StatusBadGateway},
}

func TestCodesHaveNamesAndNumbers(t *testing.T) {
	for i, tt := range codes {
		if uint32(tt.code) != tt.number || tt.number != uint32(0x301+i) {
			t.Errorf("%s is 0x%X, want 0x%X, the next", tt.name, uint32(tt.code), tt.number)
		}
		if tt.code.String() != tt.name || protocol.CodeNamed(tt.name) != tt.code {
			t.Errorf("0x%X is %q, and %q is %v", tt.number, tt.code, tt.name, protocol.CodeNamed(tt.name))
		}
		var back protocol.Code
		if b, err := tt.code.MarshalText(); err != nil || back.UnmarshalText(b) != nil || back != tt.code {
			t.Errorf("%v comes back from %q as %v, %v", tt.code, b, back, err)
		}
	}
	for c := protocol.Code(0x301 + len(codes)); c < 0x400; c++ { // a code that is added is added above
		if s := c.String(); s != fmt.Sprintf("code 0x%X", uint32(c)) {
			t.Errorf("0x%X has the name %q", uint32(c), s)
		}
	}
}

func TestCodesThatAreNotKnown(t *testing.T) {
	if s := protocol.Unknown.String(); s != "unknown" {
		t.Errorf("%q", s)
	}
	for _, name := range []string{"", "unknown", "of_a_newer_peer", "NOT_FOUND", "code 0x301"} {
		if c := protocol.CodeNamed(name); c != protocol.Unknown {
			t.Errorf("%q is %v", name, c)
		}
		c := protocol.NotFound
		if err := c.UnmarshalText([]byte(name)); err != nil || c != protocol.Unknown {
			t.Errorf("%q is read as %v, %v", name, c, err)
		}
	}
}

// In JSON and in msgpack a code is its name.
func TestCodesAreNamesInBothCodecs(t *testing.T) {
	for _, c := range codecs {
		b := marshal(t, c, map[string]protocol.Code{"code": protocol.NotFound})
		var out struct {
			Code protocol.Code `json:"code"`
		}
		if err := c.Unmarshal(b, &out); err != nil || out.Code != protocol.NotFound || !strings.Contains(string(b), "not_found") {
			t.Errorf("%s: %v from %q, %v", c.MIME(), out.Code, b, err)
		}
	}
}
