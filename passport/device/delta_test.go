package device_test

import (
	"errors"
	"testing"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

func TestADeltaMakesTheNextVersion(t *testing.T) {
	rules := []device.Agent{{Words: []string{"Tizen"}, Type: kind("agent")}}
	old := tableOf(t, 1, []device.Row{row("A", "a"), row("B", "b"), row("C", "c"), row("D", "d")}, rules)
	changed := kind("c")
	changed.Name = "Acme C"
	for name, c := range map[string]struct {
		next         *device.Table
		put, removed int
		rules        bool
	}{
		"nothing":    {tableOf(t, 2, []device.Row{row("A", "a"), row("B", "b"), row("C", "c"), row("D", "d")}, rules), 0, 0, false},
		"everything": {tableOf(t, 2, []device.Row{row("AA", "aa"), row("B", "b"), {Prefix: "C", Type: changed}, row("E", "e")}, nil), 3, 2, true},
		"all gone":   {tableOf(t, 2, nil, nil), 0, 4, true},
		"a rule":     {tableOf(t, 2, []device.Row{row("A", "a"), row("B", "b"), row("C", "c"), row("D", "d")}, append(rules[:1:1], device.Agent{Words: []string{"TV"}, Without: []string{"Tizen"}, Type: kind("tv")})), 0, 0, true},
		"its order":  {tableOf(t, 2, []device.Row{row("A", "a"), row("B", "b"), row("C", "c"), row("D", "d")}, []device.Agent{{Words: []string{"TV"}, Type: kind("tv")}, rules[0]}), 0, 0, true},
	} {
		d, err := device.Diff(old, c.next)
		if err != nil {
			t.Fatal(err)
		}
		if put, removed, rules := d.Size(); put != c.put || removed != c.removed || rules != c.rules || d.Version() != 2 {
			t.Errorf("%s: %d rows put, %d removed, rules %v, version %d", name, put, removed, rules, d.Version())
		}
		got, err := d.Apply(old)
		if err != nil || got.Digest() != c.next.Digest() {
			t.Errorf("%s: %v", name, err)
		}
		// The same over the wire.
		r := keyring(t, passport.NewKey("a"))
		h := holding(t, device.Config{Keyring: r, Table: old})
		if err := h.Take(delta(t, r, old, c.next)); err != nil || h.Table().Digest() != c.next.Digest() {
			t.Errorf("%s, sealed: %v", name, err)
		}
	}
	if old.Lookup("D", "").ID != "d" {
		t.Error("the old table has changed")
	}
}

func TestADeltaIsForOneTable(t *testing.T) {
	versions := chain(t, 4)
	d, err := device.Diff(versions[1], versions[2])
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*device.Table{"older": versions[0], "newer": versions[2], "of the same number": table(t, 2, row("A", "a"))} {
		if got, err := d.Apply(other); !errors.Is(err, device.ErrGap) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, pair := range [][2]int{{0, 2}, {2, 1}, {1, 1}} {
		if _, err := device.Diff(versions[pair[0]], versions[pair[1]]); err == nil {
			t.Errorf("a delta from version %d to %d", pair[0]+1, pair[1]+1)
		}
	}
}
