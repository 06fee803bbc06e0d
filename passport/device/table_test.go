package device_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"warmline.dev/passport/device"
)

func TestTheLongestPrefixOfAnESNDecides(t *testing.T) {
	tt := table(t, 1, row("A", "a"), row("A-B-C-", "abc"), row("A-B-", "ab"), row("A-B-C-D", "abcd"), row("A-C-", "ac"), row("B", "b"), row("A-B-B", "abb"))
	for esn, want := range map[string]string{
		"A": "a", "A-": "a", "A-B": "a", "A-B-": "ab", "A-B-A": "ab", "A-B-B": "abb", "A-B-BC": "abb", "A-B-C": "ab", "A-B-C-": "abc", "A-B-C-C": "abc",
		"A-B-C-D": "abcd", "A-B-C-DD": "abcd", "A-B-C-E": "abc", "A-B-D": "ab", "A-BA": "a", "A-C": "a", "A-C-\xff": "ac", "A-D": "a", "AA": "a", "B": "b", "BB": "b",
		"": "other", "-": "other", "C": "other", "a": "other", "\x00": "other", "\xff": "other",
	} {
		if got := tt.Lookup(esn, "").ID; got != want {
			t.Errorf("%q: %s, want %s", esn, got, want)
		}
	}
}

func TestWhatIsNotKnownIsOther(t *testing.T) {
	for name, tt := range map[string]*device.Table{"zero": {}, "embedded": device.Embedded()} {
		for _, esn := range []string{"", "NFANDROID1-PXA-", strings.Repeat("W", 1<<20)} {
			for _, userAgent := range []string{"", "curl/8.5.0", strings.Repeat("A", 1<<20), "\x00\xff"} {
				if got := tt.Lookup(esn, userAgent); got != device.Unknown() || got.Category.String() != "other" || got.ID == "" || got.Name == "" {
					t.Errorf("%s table: %.20q, %.20q: %+v", name, esn, userAgent, got)
				}
			}
		}
	}
}

func TestTheESNGoesBeforeTheUserAgent(t *testing.T) {
	tt := tableOf(t, 1, []device.Row{row("WL-", "esn")}, []device.Agent{{Words: []string{"Tizen"}, Type: kind("agent")}})
	for _, c := range []struct{ esn, userAgent, want string }{{"WL-1", "Tizen", "esn"}, {"WX-1", "Tizen", "agent"}, {"", "Tizen", "agent"}, {"WL-1", "", "esn"}} {
		if got := tt.Lookup(c.esn, c.userAgent).ID; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestOfWhatADeviceSaysABoundedPartIsRead(t *testing.T) {
	long := strings.Repeat("x", 64)
	tt := tableOf(t, 1, []device.Row{row(long, "long")}, []device.Agent{{Words: []string{"Tizen"}, Type: kind("agent")}})
	if got := tt.Lookup(long+strings.Repeat("y", 1<<20), "").ID; got != "long" {
		t.Errorf("an ESN that is longer than any prefix: %s", got)
	}
	for room, want := range map[int]string{0: "agent", 506: "agent", 507: "agent", 508: "other", 600: "other"} {
		if got := tt.Lookup("", strings.Repeat(" ", room)+"Tizen"+strings.Repeat("y", 1<<20)).ID; got != want {
			t.Errorf("behind %d bytes: %s, want %s", room, got, want)
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	devices := holding(t, device.Config{})
	for _, c := range [][2]string{{"WLTV-SAM-2021-Q80-7F3A09C41B2E", ""}, {"WLTV-XXX", ""}, {"", chromeOnWindows}, {"?", "?"}} {
		if n := testing.AllocsPerRun(100, func() { devices.Lookup(c[0], c[1]) }); n != 0 {
			t.Errorf("%q: %v allocations", c, n)
		}
	}
}

func TestATableIsACopy(t *testing.T) {
	rows := []device.Row{row("B-", "b"), row("A-", "a")}
	rules := []device.Agent{{Words: []string{"Tizen"}, Type: kind("agent")}}
	tt := tableOf(t, 7, rows, rules)
	if rows[0].Prefix != "B-" {
		t.Error("the caller's rows were sorted")
	}
	rows[1].Prefix, rules[0].Words[0] = "X-", "Xizen"
	tt.Agents()[0].Words[0] = "Yizen"
	if tt.Lookup("A-", "").ID != "a" || tt.Lookup("", "Tizen").ID != "agent" || tt.Agents()[0].Words[0] != "Tizen" {
		t.Error("it changed")
	}
	if tt.Version() != 7 || !tt.Made().Equal(made.AddDate(0, 0, 7)) || tt.Len() != 2 || len(tt.Types()) != 3 {
		t.Errorf("%d, %v, %d rows, %d types", tt.Version(), tt.Made(), tt.Len(), len(tt.Types()))
	}
}

func TestTablesThatMakeNoSense(t *testing.T) {
	good := kind("good")
	with := func(change func(*device.Type)) device.Type {
		one := good
		change(&one)
		return one
	}
	one := func(r device.Row) []device.Row { return []device.Row{r} }
	rule := func(a device.Agent) []device.Agent { return []device.Agent{a} }
	many := make([]device.Row, device.MaxRows+1)
	for n := range many {
		many[n] = device.Row{Prefix: fmt.Sprint("P", n), Type: good}
	}
	words := func(n, each int) (rules []device.Agent) {
		for r := range n {
			a := device.Agent{Type: good}
			for w := range each {
				a.Words = append(a.Words, fmt.Sprintf("W%d.%d", r, w))
			}
			rules = append(rules, a)
		}
		return rules
	}
	for name, c := range map[string]struct {
		version uint64
		made    time.Time
		rows    []device.Row
		rules   []device.Agent
		want    string
	}{
		"no version":         {0, made, nil, nil, "version 0"},
		"no time":            {1, time.Time{}, nil, nil, "after 1970"},
		"too many rows":      {1, made, many, nil, "16385 rows"},
		"no prefix":          {1, made, one(device.Row{Type: good}), nil, "prefix"},
		"a long prefix":      {1, made, one(device.Row{Prefix: strings.Repeat("p", 65), Type: good}), nil, "1 to 64"},
		"space in a prefix":  {1, made, one(device.Row{Prefix: "a b", Type: good}), nil, "prefix"},
		"a prefix twice":     {1, made, []device.Row{row("A", "a"), row("B", "b"), row("A", "a")}, nil, "twice"},
		"an ID of two types": {1, made, []device.Row{{"A", good}, {"B", with(func(o *device.Type) { o.Name = "else" })}}, nil, "two types"},
		"no ID":              {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.ID = "" })}), nil, "id"},
		"a loud ID":          {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.ID = "TV" })}), nil, "lower-case"},
		"an ID of lines":     {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.ID = "a\nb" })}), nil, "lower-case"},
		"a long ID":          {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.ID = strings.Repeat("a", 65) })}), nil, "1 to 64"},
		"the ID of others":   {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.ID = device.UnknownID })}), nil, "not known"},
		"no such category":   {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.Category = 8 })}), nil, "category 8"},
		"a brand of lines":   {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.Brand = "a\nb" })}), nil, "brand"},
		"no name":            {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.Name = "" })}), nil, "name"},
		"a name of no text":  {1, made, one(device.Row{Prefix: "A", Type: with(func(o *device.Type) { o.Name = "a\xff" })}), nil, "name"},
		"a rule of nothing":  {1, made, nil, rule(device.Agent{Type: good}), "without words"},
		"only what is not":   {1, made, nil, rule(device.Agent{Without: []string{"Tizen"}, Type: good}), "without words"},
		"a short word":       {1, made, nil, rule(device.Agent{Words: []string{"T"}, Type: good}), "2 to 32"},
		"a long word":        {1, made, nil, rule(device.Agent{Words: []string{strings.Repeat("w", 33)}, Type: good}), "2 to 32"},
		"no word at all":     {1, made, nil, rule(device.Agent{Words: []string{""}, Type: good}), "2 to 32"},
		"what nothing has":   {1, made, nil, rule(device.Agent{Words: []string{"Tizen"}, Without: []string{"Ti"}, Type: good}), "nothing has both"},
		"a rule of no type":  {1, made, nil, rule(device.Agent{Words: []string{"Tizen"}}), "id"},
		"a rule's other ID":  {1, made, one(device.Row{Prefix: "A", Type: good}), rule(device.Agent{Words: []string{"Tizen"}, Type: with(func(o *device.Type) { o.Category = device.Phone })}), "two types"},
		"too many rules":     {1, made, nil, words(65, 1), "65 User-Agent rules"},
		"too many words":     {1, made, nil, words(13, 5), "more than 64 different words"},
	} {
		if _, err := device.NewTable(c.version, c.made, c.rows, c.rules); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := device.NewTable(1, made, many[1:], words(64, 1)); err != nil {
		t.Errorf("as much as may be: %v", err)
	}
}

func TestCategoriesAreFewAndFixed(t *testing.T) {
	var names []string
	for n, c := range device.Categories() {
		names = append(names, c.String())
		if back, err := device.ParseCategory(c.String()); err != nil || back != c || int(c) != n {
			t.Errorf("%v: %v, %v", c, back, err)
		}
	}
	if got := strings.Join(names, " "); got != "other tv phone tablet console stick settop browser" {
		t.Error(got) // the numbers are on the wire
	}
	if _, err := device.ParseCategory("TV"); err == nil || !strings.Contains(err.Error(), "one of other, tv, phone") {
		t.Error(err)
	}
	if got := device.Category(8).String(); got != "category 8" {
		t.Error(got)
	}
}
