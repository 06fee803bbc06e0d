package protocol_test

import (
	"context"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

func TestValidTraceparent(t *testing.T) {
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for s, valid := range map[string]bool{
		"00-" + trace + "-" + parent + "-01":                    true,
		"00-" + trace + "-" + parent + "-00":                    true,
		"00-" + trace + "-" + parent + "-ff":                    true,
		"00-" + trace + "-0000000000000001-00":                  true,
		"00-00000000000000000000000000000001-" + parent + "-00": true,
		"":                                                     false,
		"01-" + trace + "-" + parent + "-01":                   false, // versions that this side does not know
		"ff-" + trace + "-" + parent + "-01":                   false,
		"00-" + trace + "-" + parent:                           false,
		"00-" + trace + "-" + parent + "-1":                    false,
		"00-" + trace + "-" + parent + "-01-":                  false,
		"00-" + trace + "-" + parent + "-01-x":                 false,
		"00-" + trace + "-" + parent + "-0g":                   false,
		" 00-" + trace + "-" + parent + "-01":                  false,
		"00-" + trace[1:] + "-" + parent + "-01":               false,
		"00-" + trace + "-" + parent[1:] + "-001":              false, // the right length, the dashes elsewhere
		"00-" + trace + "_" + parent + "-01":                   false,
		"00-" + trace + "-" + parent + "_01":                   false,
		"00_" + trace + "-" + parent + "-01":                   false,
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":  false,
		"00-" + trace + "-" + strings.ToUpper(parent) + "-01":  false,
		"00-" + trace + "-" + parent + "-0A":                   false,
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01": false,
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01":  false,
		"00-" + trace[:31] + "g-" + parent + "-01":             false,
		"00-" + trace[:31] + "/-" + parent + "-01":             false,
		"00-" + trace[:31] + ":-" + parent + "-01":             false,
		"00-" + trace[:31] + "`-" + parent + "-01":             false,
		"00-" + trace + "-" + parent[:15] + "g-01":             false,
		"00-" + trace[:30] + "é-" + parent + "-01":             false,
	} {
		if got := protocol.ValidTraceparent(s); got != valid {
			t.Errorf("%q: %v, want %v", s, got, valid)
		}
	}
}

func TestNewTraceparentsAreValidAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := protocol.NewTraceparent()
		if !protocol.ValidTraceparent(s) || !strings.HasSuffix(s, "-00") {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 differ", len(seen))
	}
}

func TestContextsCarryTraceparents(t *testing.T) {
	ctx := context.Background()
	if s := protocol.Traceparent(ctx); s != "" {
		t.Errorf("%q in an empty context", s)
	}
	ctx = protocol.WithTraceparent(ctx, traceparent)
	if s := protocol.Traceparent(ctx); s != traceparent {
		t.Errorf("%q, want %q", s, traceparent)
	}
	if s := protocol.Traceparent(protocol.WithTraceparent(ctx, "")); s != traceparent {
		t.Errorf("%q behind none, want %q", s, traceparent)
	}
}
