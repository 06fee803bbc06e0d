package nodelayer_test

import (
	"strings"
	"testing"

	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

func TestArgumentsThatAreTooLargeAreRefusedHere(t *testing.T) {
	b, firsts := parrot(t)
	for most, cfg := range map[int]nodelayer.Config{
		1 << 20: {Edges: []string{b.addr}},
		1000:    {Edges: []string{b.addr}, MaxMessage: 1000},
	} {
		e := dialWith(t, cfg)
		inBothWays(t, e, func(t *testing.T, ask asking[string]) {
			want(t, errOf(ask(t.Context(), "a.b", strings.Repeat("x", most))), protocol.Error{
				Code: protocol.TooLarge, Message: "arguments of a.b take …" + map[int]string{1 << 20: "1048576", 1000: "1000"}[most] + " are sent",
			})
		})
	}
	if n := len(firsts); n != 0 {
		t.Errorf("%d channels were opened", n)
	}
	c := converse(t, dialWith(t, nodelayer.Config{Edges: []string{b.addr}, MaxMessage: 1000}))
	large := strings.Repeat("x", 970)
	if got, err := call[string](t.Context(), c, "a.b", large); err != nil || got != large {
		t.Errorf("what just fits: %d bytes, %v", len(got), err)
	}
	want(t, errOf(call[string](t.Context(), c, "a.b", large+large)), protocol.Error{Code: protocol.TooLarge, Message: "…"})
	if got, err := call[string](t.Context(), c, "a.b", "on"); err != nil || got != "on" { // the conversation goes on
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAMethodNameThatNoRouteHoldsIsRefusedHere(t *testing.T) {
	b, _ := parrot(t)
	e := dial(t, b.addr)
	want(t, errOf(askInt(t.Context(), e, strings.Repeat("m", 256), 1)),
		protocol.Error{Code: protocol.UnknownMethod, Message: "a method name of 256 bytes, expected at most 255"})
	if got, err := askInt(t.Context(), e, strings.Repeat("m", 255), 1); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}
