package protocol_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-cmp/cmp"

	"warmline.dev/protocol"
)

func versions(list ...string) protocol.Versions {
	vs := make(protocol.Versions, len(list))
	for i, s := range list {
		vs[i] = semver.MustParse(s)
	}
	return vs
}

func TestPickTakesTheHighestInRange(t *testing.T) {
	stable := versions("1.4.2", "2.0.0", "1.10.0", "2.1.3", "1.4.10", "0.9.0")
	mixed := versions("1.4.2", "2.0.0-rc.1", "2.0.0-rc.2", "1.9.0-beta.1", "1.5.0")
	for _, tt := range []struct {
		rng     string
		offered protocol.Versions
		want    string // "" is none
	}{
		{"^1", stable, "1.10.0"},
		{"^1.4", stable, "1.10.0"},
		{"~1.4", stable, "1.4.10"},
		{"1.4.2", stable, "1.4.2"},
		{"=1.4.2", stable, "1.4.2"},
		{">=1.4, <2", stable, "1.10.0"},
		{"<1 || ^2.1", stable, "2.1.3"},
		{"1.x", stable, "1.10.0"},
		{"*", stable, "2.1.3"},
		{"^3", stable, ""},
		{"1.4.3", stable, ""},
		{"*", nil, ""},

		{"*", mixed, "1.5.0"},
		{"^1", mixed, "1.5.0"},
		{">=1.4", mixed, "1.5.0"},
		{"^2", mixed, ""},
		{"^2.0.0-0", mixed, "2.0.0-rc.2"},
		{"2.0.0-rc.1", mixed, "2.0.0-rc.1"},
		{">=1.5.0-0, <1.9.0", mixed, "1.9.0-beta.1"},
		{"^2.0.0-0", append(versions("2.0.0"), mixed...), "2.0.0"},
	} {
		v, err := protocol.Pick(tt.rng, tt.offered)
		switch bad := (*protocol.RangeError)(nil); {
		case errors.As(err, &bad):
			t.Errorf("%s: %v", tt.rng, err)
		case tt.want == "":
			if err == nil || v != nil {
				t.Errorf("%s: %v, want none", tt.rng, v)
			}
		case err != nil || v.String() != tt.want:
			t.Errorf("%s: %v, %v, want %s", tt.rng, v, err, tt.want)
		}
	}
}

func TestBadRangesShowTheMistake(t *testing.T) {
	long := strings.Repeat("1.0.0 || ", 40) + "é"
	for _, rng := range []string{"", "latest", "^one", "1..2", "^1 or ^2", ">=1,,<2", long, "\x00", "^1\xff"} {
		v, err := protocol.Pick(rng, versions("1.0.0"))
		bad, ok := errors.AsType[*protocol.RangeError](err)
		if !ok || v != nil {
			t.Errorf("%q: %v, %v, want a range error", rng, v, err)
			continue
		}
		shown := fmt.Sprintf("%q", rng)
		if rng == long {
			shown = `"1.0.0 || `
		}
		if s := bad.Error(); !strings.Contains(s, shown) || !strings.Contains(s, "^1.2") || len(s) > 400 {
			t.Errorf("%q: %s", rng, s)
		}
	}
}

func TestResolve(t *testing.T) {
	offers := protocol.Offers{
		"catalogue": versions("1.4.2", "2.1.3", "3.0.0-rc.1"),
		"members":   versions("1.0.0"),
		"preview":   versions("0.1.0-alpha"),
	}
	for _, tt := range []struct {
		name  string
		wants map[string]string
		want  map[string]string
	}{
		{"without wants, the highest stable of everything", nil, map[string]string{"catalogue": "2.1.3", "members": "1.0.0"}},
		{"the same where the map is empty", map[string]string{}, map[string]string{"catalogue": "2.1.3", "members": "1.0.0"}},
		{"only what is wanted", map[string]string{"members": "^1"}, map[string]string{"members": "1.0.0"}},
		{"each in its range", map[string]string{"catalogue": "^1", "members": "*"}, map[string]string{"catalogue": "1.4.2", "members": "1.0.0"}},
		{"a pre-release that is named", map[string]string{"catalogue": "^3.0.0-0", "preview": ">=0.1.0-0"}, map[string]string{"catalogue": "3.0.0-rc.1", "preview": "0.1.0-alpha"}},
	} {
		resolved, refusal := protocol.Resolve(tt.wants, offers)
		if refusal != nil {
			t.Errorf("%s: %v", tt.name, refusal)
		}
		got := map[string]string{}
		for name, v := range resolved {
			got[name] = v.String()
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
}

func TestRefusalsListEveryMissAndWhy(t *testing.T) {
	offers := protocol.Offers{"catalogue": versions("1.4.2", "2.1.3", "1.10.0"), "members": versions("1.0.0"), "preview": versions("0.1.0-alpha")}
	resolved, refusal := protocol.Resolve(map[string]string{
		"catalogue": "^3", "members": "^1", "preview": "*", "nothing": "^1", "profiles": "newest",
	}, offers)
	if resolved != nil || refusal == nil {
		t.Fatalf("%v, %v", resolved, refusal)
	}
	mistake := `"newest" is not a version range: improper constraint: "newest"; expected something like ^1.2, ~2.0.1 or >=1.0, <3`
	want := &protocol.Refusal{
		Code: protocol.Unsatisfied,
		Message: "wants catalogue ^3, offered: 2.1.3, 1.10.0, 1.4.2; " +
			"wants nothing ^1, nothing of that name is offered; " +
			"wants preview *, offered: 0.1.0-alpha; " +
			"wants profiles newest, nothing of that name is offered",
		Unsatisfied: []protocol.Miss{
			{Name: "catalogue", Wanted: "^3", Offered: []string{"2.1.3", "1.10.0", "1.4.2"}, Reason: "no version in that range"},
			{Name: "nothing", Wanted: "^1", Offered: []string{}, Reason: "no version in that range"},
			{Name: "preview", Wanted: "*", Offered: []string{"0.1.0-alpha"}, Reason: "no version in that range"},
			{Name: "profiles", Wanted: "newest", Offered: []string{}, Reason: mistake},
		},
	}
	if d := cmp.Diff(want, refusal); d != "" {
		t.Error(d)
	}
	if refusal.Error() != refusal.Message {
		t.Errorf("%q is not the message", refusal.Error())
	}
	back := protocol.ParseRefusal(refusal.JSON())
	if d := cmp.Diff(want, back); d != "" {
		t.Errorf("there and back:\n%s", d)
	}

	_, refusal = protocol.Resolve(map[string]string{"members": "newest"}, offers)
	if want := "wants members newest: " + mistake + "; offered: 1.0.0"; refusal == nil || refusal.Message != want {
		t.Errorf("%v, want %s", refusal, want)
	}
}

func TestRefusalsAreOneReadableLine(t *testing.T) {
	huge := strings.Repeat("é\n", 1<<20)
	for _, wants := range []map[string]string{
		{"cata\nlogue": "^9\n"},
		{"catalogue": "^9\r\n"},
		{"catalogue": "\x1b[31m^9"},
		{"catalogue": huge},
		{huge: "^1"},
		{"catalogue\xff": "^1\xff"},
	} {
		_, refusal := protocol.Resolve(wants, protocol.Offers{"catalogue": versions("1.0.0")})
		if refusal == nil {
			t.Fatalf("%.40q is resolved", wants)
		}
		if s := refusal.Error(); len(s) > 2000 || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
			t.Errorf("%.400q", s)
		}
		if s := refusal.JSON(); len(s) > 4000 {
			t.Errorf("%d bytes of JSON", len(s))
		}
	}
}

func TestRefusalJSON(t *testing.T) {
	r := &protocol.Refusal{Code: protocol.Unsatisfied, Message: "why", Unsatisfied: []protocol.Miss{{Name: "a", Wanted: "^1", Offered: []string{}, Reason: "none"}}}
	if got, want := r.JSON(), `{"code":"unsatisfied","message":"why","unsatisfied":[{"name":"a","wanted":"^1","offered":[],"reason":"none"}]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, data := range []string{"", "rejected", "{}", `{"code":"unsatisfied"}`, `"why"`, "null", "[]"} {
		if r := protocol.ParseRefusal(data); r != nil {
			t.Errorf("%q is a refusal: %+v", data, r)
		}
	}
	if r := protocol.ParseRefusal(`{"code":"newer","message":"why"}`); r == nil || r.Code != protocol.Unknown || r.Message != "why" {
		t.Errorf("a code of a newer peer: %+v", r)
	}
}

func TestCheckProtocol(t *testing.T) {
	for rng, fine := range map[string]bool{
		"": true, protocol.Range: true, "^1": true, "*": true, ">=0.9, <2": true, protocol.Version: true,
		"^2": false, "^0.9": false, ">1.0.0": false, "warm": false,
	} {
		h := protocol.Hello{Protocol: rng}
		r := h.CheckProtocol()
		if fine != (r == nil) {
			t.Errorf("%q: %v", rng, r)
		}
		if r != nil && (r.Code != protocol.Unsatisfied || len(r.Unsatisfied) != 1 || !strings.Contains(r.Message, "wants warmline "+rng) || !strings.Contains(r.Message, protocol.Version)) {
			t.Errorf("%q: %+v", rng, r)
		}
	}
}

func TestParseHello(t *testing.T) {
	in := protocol.Hello{Name: "home", Version: "1.2.3", Protocol: "^1.0", Wants: map[string]string{"catalogue": "^1"}, Offers: map[string]string{"home": "1.2.3"}}
	for _, c := range codecs {
		got, err := protocol.ParseHello(c, marshal(t, c, in))
		if d := cmp.Diff(in, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", c.MIME(), err, d)
		}
		if got, err := protocol.ParseHello(c, nil); err != nil || !cmp.Equal(got, protocol.Hello{}) {
			t.Errorf("%s: nothing: %+v, %v", c.MIME(), got, err)
		}
		if _, err := protocol.ParseHello(c, fromJSON(t, c, `{"name":"home","newer":{"x":1}}`)); err != nil {
			t.Errorf("%s: a field of a newer peer: %v", c.MIME(), err)
		}
		for _, bad := range []string{"7", `"home"`, "[1]", `{"wants":["catalogue"]}`, `{"wants":{"catalogue":1}}`, `{"name":{}}`} {
			_, err := protocol.ParseHello(c, fromJSON(t, c, bad))
			if err == nil || errors.Is(err, protocol.ErrMalformed) || !strings.Contains(err.Error(), `expected {"name","version","protocol","wants","offers"}`) {
				t.Errorf("%s: %s: %v", c.MIME(), bad, err)
			}
		}
		if _, err := protocol.ParseHello(c, []byte("\xc1")); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: garbage: %v", c.MIME(), err)
		}

		many := map[string]string{}
		for i := range 256 {
			many[fmt.Sprint("service", i)] = "*"
		}
		if h, err := protocol.ParseHello(c, marshal(t, c, protocol.Hello{Wants: many, Offers: many})); err != nil || len(h.Wants) != 256 {
			t.Errorf("%s: 256 wants and offers: %v", c.MIME(), err)
		}
		many["one more"] = "*"
		for _, h := range []protocol.Hello{{Wants: many}, {Offers: many}} {
			if _, err := protocol.ParseHello(c, marshal(t, c, h)); err == nil || !strings.Contains(err.Error(), "256") {
				t.Errorf("%s: 257: %v", c.MIME(), err)
			}
		}
	}
}
