package device_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
	"warmline.dev/protocol/mistake"
)

// Whatever is in a file, Parse says what is wrong with it, or it is a table that
// goes over the wire.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("devices.tsv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text[:3000]))
	f.Add(fileHead + "esn\tA-{year}-{model}-\ttv\ta-{year}-{model}\tA\tA {model}\t2019..2026\tQ08..12/2,Max\nagent\tTizen & !TV\ttv\ta\t-\tA\nagent\tTizen\ttv\tb\t-\tB\n")
	f.Fuzz(func(t *testing.T, text string) {
		tt, err := device.Parse("d.tsv", []byte(text))
		if err != nil {
			var list mistake.List
			if !errors.As(err, &list) || len(list) == 0 || len(list) > 100 || tt != nil {
				t.Fatalf("%v, %v", tt, err)
			}
			return
		}
		wellFormed(t, tt)
	})
}

// Whatever is in a snapshot, it is an error, or a table that is the same when it is
// written again.
func FuzzDecode(f *testing.F) {
	f.Add(table(f, 1).Encode())
	f.Add(tableOf(f, 2, []device.Row{row("A", "a"), row("AB", "ab")}, []device.Agent{{Words: []string{"Tizen"}, Without: []string{"TV"}, Type: kind("a")}}).Encode())
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		tt, err := device.Decode(snapshot)
		if err != nil {
			if tt != nil {
				t.Fatal(err)
			}
			return
		}
		wellFormed(t, tt)
	})
}

// wellFormed says what every table is like, wherever it came from.
func wellFormed(t *testing.T, tt *device.Table) {
	t.Helper()
	if tt.Version() == 0 || tt.Made().UnixMilli() <= 0 || tt.Len() > device.MaxRows || len(tt.Agents()) > device.MaxAgents {
		t.Fatalf("version %d, made %v, %d rows, %d rules", tt.Version(), tt.Made(), tt.Len(), len(tt.Agents()))
	}
	last := ""
	for row := range tt.Rows() {
		if row.Prefix <= last || len(row.Prefix) > 64 || tt.Lookup(row.Prefix, "") != row.Type {
			t.Fatalf("row %+v behind %q", row, last)
		}
		last = row.Prefix
	}
	for _, one := range tt.Types() {
		if one.ID == "" || one.ID == device.UnknownID || len(one.ID)+len(one.Brand)+len(one.Name) > 3*64 || !utf8.ValidString(one.Name) || strings.ContainsAny(one.ID+one.Brand+one.Name, "\n\x00") {
			t.Fatalf("%+v", one)
		}
	}
	if snapshot := tt.Encode(); len(snapshot) <= device.MaxSealed {
		if back, err := device.Decode(snapshot); err != nil || back.Digest() != tt.Digest() {
			t.Fatalf("it becomes another: %v", err)
		}
	}
}

// Whatever comes, signed or not, it is taken or changes nothing.
func FuzzTake(f *testing.F) {
	key := passport.Key{Name: "k", Secret: []byte("of a test, and so no secret at all")}
	r := keyring(f, key)
	v := chain(f, 3)
	f.Add(snapshot(f, r, v[1]), false)
	f.Add(delta(f, r, v[0], v[1]), false)
	f.Add(delta(f, r, v[1], v[2]), false)
	digest, base := v[1].Digest(), v[0].Digest()
	f.Add(body(1, 2, nil, digest[:], v[1].Encode()), true)
	f.Add(body(2, 2, base[:], digest[:], []byte{}), true)
	f.Fuzz(func(t *testing.T, data []byte, sign bool) {
		if sign {
			data = sealed(key, key.Name, data)
		}
		d := holding(t, device.Config{Keyring: r, Table: v[0]})
		err := d.Take(data)
		if now := d.Table(); (err == nil) != (d.Stats().Refused == 0) || err != nil && now != v[0] {
			t.Fatalf("%v, and version %d is used", err, now.Version())
		}
		known := errors.Is(err, device.ErrMalformed) || errors.Is(err, device.ErrForged) || errors.Is(err, device.ErrOld) || errors.Is(err, device.ErrGap)
		if err != nil && !known {
			t.Fatal(err)
		}
		wellFormed(t, d.Table())
	})
}

// Lookup is what it says, looked up the slow way.
func FuzzLookup(f *testing.F) {
	f.Add("A-B-C", "Tizen/6.0 (SMART-TV) xTV TV", "A A- A-B A-C B A-B-D", "Tizen&TV !Mobile TV Ti")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, esn, userAgent, prefixes, words string) {
		var rows []device.Row
		for n, p := range strings.Fields(prefixes) {
			rows = append(rows, row(p, "r"+strings.Repeat("i", n%60)))
		}
		var rules []device.Agent
		for n, w := range strings.Fields(words) {
			a := device.Agent{Type: kind("a" + strings.Repeat("i", n%60))}
			for one := range strings.SplitSeq(w, "&") {
				if not, is := strings.CutPrefix(one, "!"); is {
					a.Without = append(a.Without, not)
				} else {
					a.Words = append(a.Words, one)
				}
			}
			rules = append(rules, a)
		}
		tt, err := device.NewTable(1, made, rows, rules)
		if err != nil {
			return
		}
		want := device.Unknown()
		if got := tt.Lookup(esn, userAgent); got != slowly(esn, userAgent, rows, rules, want) {
			t.Fatalf("%+v, want %+v", got, slowly(esn, userAgent, rows, rules, want))
		}
	})
}

func slowly(esn, userAgent string, rows []device.Row, rules []device.Agent, otherwise device.Type) device.Type {
	longest := ""
	for _, r := range rows {
		if strings.HasPrefix(esn, r.Prefix) && len(r.Prefix) > len(longest) {
			longest, otherwise = r.Prefix, r.Type
		}
	}
	if longest != "" {
		return otherwise
	}
	userAgent = userAgent[:min(len(userAgent), 512)]
	has := func(word string) bool {
		for at := range len(userAgent) {
			if strings.HasPrefix(userAgent[at:], word) && (at == 0 || !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", rune(userAgent[at-1]))) {
				return true
			}
		}
		return false
	}
rules:
	for _, a := range rules {
		for _, w := range a.Words {
			if !has(w) {
				continue rules
			}
		}
		for _, w := range a.Without {
			if has(w) {
				continue rules
			}
		}
		return a.Type
	}
	return otherwise
}
