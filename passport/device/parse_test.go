package device_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport/device"
	"warmline.dev/protocol/mistake"
)

const fileHead = "version\t3\nmade\t2026-11-21\n"

func TestAFileIsATable(t *testing.T) {
	tt, err := device.Parse("d.tsv", []byte("# a comment\r\n\r\nversion\t3\r\nmade\t\t2026-11-21T18:00:00+01:00\r\n"+
		"esn\tA-\ttv\t\tacme\tAcme  \tAcme TV\t-\t-\n"+
		"esn\tA-{year}-{model}-\tphone\tacme-{model}-{year}\t-\t{model} of {year}\t2019..2020, 2026\tQ08..12/2,Max\n"+
		"esn\tB-{model}-\tother\tb\t-\tB\t-\tX,Y\n"+
		"agent\tSmart TV & Tizen & !Mobile\ttv\tacme\tAcme\tAcme TV\n"))
	if err != nil {
		t.Fatal(err)
	}
	if tt.Version() != 3 || !tt.Made().Equal(time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)) || tt.Len() != 1+3*4+2 || len(tt.Types()) != 1+3*4+1 {
		t.Errorf("version %d, made %v, %d rows, %d types", tt.Version(), tt.Made(), tt.Len(), len(tt.Types()))
	}
	for esn, want := range map[string]device.Type{
		"A-1":         {ID: "acme", Category: device.TV, Brand: "Acme", Name: "Acme TV"},
		"A-2019-Q08-": {ID: "acme-q08-2019", Category: device.Phone, Name: "Q08 of 2019"},
		"A-2026-Q12-": {ID: "acme-q12-2026", Category: device.Phone, Name: "Q12 of 2026"},
		"A-2020-Max-": {ID: "acme-max-2020", Category: device.Phone, Name: "Max of 2020"},
		"A-2021-Max-": {ID: "acme", Category: device.TV, Brand: "Acme", Name: "Acme TV"},
		"B-X-":        {ID: "b", Name: "B"},
		"B-Y-":        {ID: "b", Name: "B"},
	} {
		if got := tt.Lookup(esn, ""); got != want {
			t.Errorf("%s: %+v", esn, got)
		}
	}
	want := []device.Agent{{Words: []string{"Smart TV", "Tizen"}, Without: []string{"Mobile"}, Type: device.Type{ID: "acme", Category: device.TV, Brand: "Acme", Name: "Acme TV"}}}
	if d := cmp.Diff(want, tt.Agents()); d != "" {
		t.Error(d)
	}
}

func TestEveryMistakeIsToldWithItsLine(t *testing.T) {
	const esn, agent = "esn\tA-{year}-{model}-\ttv\ta-{year}-{model}\tA\tA {year} {model}\t", "agent\tTizen\ttv\ta\tA\tA\n"
	for text, want := range map[string][]string{
		"":                                     {"d.tsv: no version", "d.tsv: not said when it was made"},
		"version\t1\n":                         {"d.tsv: not said when"},
		"version\tone\nmade\tnow":              {`d.tsv:1: version "one": expected a whole number from 1`, `d.tsv:2: made "now": expected a day such as 2026-11-21`},
		"version\t0\nmade\t1969-01-01":         {"d.tsv:1: version", "d.tsv:2: made"},
		fileHead + fileHead:                    {"d.tsv:3: a second version", "d.tsv:4: a second time"},
		fileHead + "tv\tA-\n":                  {`d.tsv:3: "tv": expected a line that begins with version, made, esn or agent`},
		fileHead + "esn A- tv a - A - -":       {"d.tsv:3:", "and a tab"},
		fileHead + "esn\tA-\ttv\ta\t-\tA\t-\n": {"d.tsv:3: 7 columns, expected 8 with tabs between them: esn PREFIX CATEGORY ID BRAND NAME YEARS MODELS"},
		fileHead + "agent\tTizen\ttv\ta\n":     {"d.tsv:3: 4 columns, expected 6"},
		fileHead + "esn\tA-\tTV\ta\t-\tA\t-\t-\n\n" + "esn\tB-\ttv\tB\t-\tB\t-\t-\n": {`d.tsv:3: category "TV": expected one of other, tv`, `d.tsv:5: id "B": expected 1 to 64 lower-case`},
		fileHead + esn + "-\t-\n":                                                             {"d.tsv:3: PREFIX has {year}, expected YEARS"},
		fileHead + esn + "2026\t-\n":                                                          {"PREFIX has {model}, expected MODELS"},
		fileHead + "esn\tA-\ttv\ta\t-\tA\t2026\t-\n":                                          {"YEARS is given, expected {year} in PREFIX"},
		fileHead + "esn\tA-\ttv\ta\t-\tA\t-\tQ1\n":                                            {"MODELS is given, expected {model} in PREFIX"},
		fileHead + esn + "26\tQ\n":                                                            {`YEARS: "26": expected years of four digits`},
		fileHead + esn + "Year\tQ\n":                                                          {`YEARS: "Year"`},
		fileHead + esn + "2026..2020\tQ\n":                                                    {`YEARS: range "2026..2020": expected one such as Q50..95/5`},
		fileHead + esn + "2026\tQ1..9/0\n":                                                    {`MODELS: range "Q1..9/0"`},
		fileHead + esn + "2026\tQ..9\n":                                                       {`MODELS: range "Q..9"`},
		fileHead + esn + "2026\tQ1..\n":                                                       {`MODELS: range "Q1.."`},
		fileHead + esn + "2026\tQ1..Q9\n":                                                     {`MODELS: range "Q1..Q9"`},
		fileHead + esn + "2026\tQ1..9999999\n":                                                {`MODELS: range "Q1..9999999"`},
		fileHead + esn + "2026\tQ1..999999\n":                                                 {"MODELS: list", "at most 16384"},
		fileHead + esn + "2026\tQ,,R\n":                                                       {"expected something between its commas"},
		fileHead + esn + "2026\tQ,R,Q\n":                                                      {`d.tsv:3: prefix "A-2026-Q-" is on line 3 already`},
		fileHead + esn + "2026\tQ R\n":                                                        {`prefix "A-2026-Q R-"`},
		fileHead + esn + "2000..2026\tQ1..1000\n" + esn + "2000..2026\tQ1..1000\n":            {"d.tsv:3: more than 16384 device types"},
		fileHead + "esn\tA-{modell}-\ttv\ta\t-\tA\t-\t-\n":                                    {"expected no braces but those of {year} and {model}"},
		fileHead + "esn\tA-\ttv\ta\t-\tA {model}\t-\t-\n":                                     {"expected no braces"},
		fileHead + "esn\tA-\ttv\ta-{model}\t-\tA\t-\t-\n":                                     {`id "a-{model}"`},
		fileHead + "esn\tA-\ttv\ta\t-\tA\t-\t-\nesn\tB-\tphone\ta\t-\tB\t-\t-\n":              {`d.tsv:4: id "a" is a tv "A" of "" on line 3, and here a phone "B" of ""`},
		fileHead + "esn\tA-\ttv\ta\t-\tA\t-\t-\nesn\tA-\ttv\ta\t-\tA\t-\t-\n":                 {`d.tsv:4: prefix "A-" is on line 3 already`},
		fileHead + "esn\tA-\ttv\tother\t-\tA\t-\t-\n":                                         {`id "other": it is what is not known`},
		fileHead + "esn\tA-\ttv\ta\t-\t-\t-\t-\n":                                             {"name"},
		fileHead + "esn\t-\ttv\ta\t-\tA\t-\t-\n":                                              {"prefix"},
		fileHead + "agent\t!Tizen\ttv\ta\tA\tA\n":                                             {"d.tsv:3: a rule without words"},
		fileHead + "agent\tTizen & \ttv\ta\tA\tA\n":                                           {`d.tsv:3: word ""`},
		fileHead + "agent\tTizen & !Ti\ttv\ta\tA\tA\n":                                        {`words "Tizen" and !Ti: nothing has both`},
		fileHead + "agent\tTi\ttv\ta\tA\tA\n" + agent:                                         {"d.tsv:4: the rule on line 3 always decides before this one"},
		fileHead + agent + "agent\tTizen & TV\ttv\ta\tA\tA\n":                                 {"d.tsv:4: the rule on line 3"},
		fileHead + "agent\tTizen & !TVX\ttv\ta\tA\tA\n" + "agent\tTizen & !TV\ttv\ta\tA\tA\n": {"d.tsv:4: the rule on line 3"},
		fileHead + strings.Repeat(agent, 65):                                                  {"d.tsv: device: 65 User-Agent rules, expected at most 64"},
		fileHead + "# " + strings.Repeat("x", 8<<10) + "\nesn" + strings.Repeat("x", 8<<10):   {"d.tsv:4: 8195 bytes, expected at most 4096 on a line"},
		strings.Repeat("#\n", 1<<20):                                                          {"d.tsv: more than 1048576 bytes"},
		fileHead + "\xff\x00":                                                                 {`d.tsv:3: "\xff\x00"`},
	} {
		tt, err := device.Parse("d.tsv", []byte(text))
		if err == nil || tt != nil {
			t.Errorf("%.200q: no mistake", text)
			continue
		}
		var list mistake.List
		if !errors.As(err, &list) || len(list) == 0 {
			t.Errorf("%.200q: %#v", text, err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%.200q: %v, want %q in it", text, err, w)
			}
		}
		// One for each, so that nobody looks for what is wrong behind what is right.
		if lines := strings.Count(err.Error(), "\n") + 1; lines > len(want) {
			t.Errorf("%.200q: %d mistakes:\n%v", text, lines, err)
		}
	}
}

// Rules that look alike, and of which each can be the one that decides.
func TestRulesThatCanBeReached(t *testing.T) {
	for _, rules := range [][]string{
		{"Tizen", "Ti"}, {"Tizen & TV", "Tizen"}, {"Tizen & !TV", "Tizen"}, {"Tizen & !TV", "Tizen & !TVX"}, {"TV & !Tizen", "Tizen & !TV"}, {"Tizen & !Web", "Tizen & Web & TV"},
	} {
		text := fileHead
		for n, words := range rules {
			text += fmt.Sprintf("agent\t%s\ttv\tr%d\t-\tR\n", words, n)
		}
		if _, err := device.Parse("d.tsv", []byte(text)); err != nil {
			t.Errorf("%v: %v", rules, err)
		}
	}
}

func TestAHundredMistakesAreEnough(t *testing.T) {
	_, err := device.Parse("d.tsv", []byte(fileHead+strings.Repeat("nonsense\n", 5000)))
	var list mistake.List
	if !errors.As(err, &list) || len(list) != 100 || list[99].Line != 102 {
		t.Errorf("%d mistakes", len(list))
	}
}
