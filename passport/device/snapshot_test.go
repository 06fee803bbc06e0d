package device_test

import (
	"bytes"
	"compress/flate"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/internal/bus"
	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

func source(t testing.TB) *device.Table {
	t.Helper()
	text, err := os.ReadFile("devices.tsv")
	if err != nil {
		t.Fatal(err)
	}
	tt, err := device.Parse("devices.tsv", text)
	if err != nil {
		t.Fatal(err)
	}
	return tt
}

func TestWhatIsBuiltInIsWhatTheTableMakes(t *testing.T) {
	if built := source(t); built.Digest() != device.Embedded().Digest() {
		t.Errorf("version %d of devices.tsv is not the one that is embedded, version %d: run go generate ./passport/device", built.Version(), device.Embedded().Version())
	}
}

func TestWhatIsBuiltInIsSmallAndHasEverything(t *testing.T) {
	types := device.Embedded().Types()
	if len(types) < 2000 {
		t.Errorf("%d types", len(types))
	}
	of := map[device.Category]int{}
	for _, one := range types {
		of[one.Category]++
	}
	for _, c := range device.Categories() {
		if of[c] == 0 {
			t.Errorf("no %v", c)
		}
	}
	sealed := snapshot(t, keyring(t, passport.NewKey("a")), device.Embedded())
	if len(sealed) > 32<<10 {
		t.Errorf("a sealed snapshot has %d bytes", len(sealed))
	}
	if device.MaxSealed > bus.MaxMessage {
		t.Errorf("%d bytes may be sealed, and the bus takes %d", device.MaxSealed, bus.MaxMessage)
	}
	for esn, want := range map[string]device.Type{
		"WLTV-SAM-2021-Q80-7F3A09C41B2E": {ID: "samsung-tv-2021-q80", Category: device.TV, Brand: "Samsung", Name: "Samsung TV Q80 (2021)"},
		"WLTV-SAM-2031-QX1-7F3A09C41B2E": {ID: "samsung-tv", Category: device.TV, Brand: "Samsung", Name: "Samsung TV"},
		"WLTV-ACM-2021-T1-7F3A09C41B2E":  {ID: "tv", Category: device.TV, Name: "TV"},
		"WLWB-CHR-Linux-7F3A09C41B2E":    {ID: "chrome-linux", Category: device.Browser, Brand: "Google", Name: "Chrome on Linux"},
	} {
		if got := device.Embedded().Lookup(esn, ""); got != want {
			t.Errorf("%s: %+v", esn, got)
		}
	}
}

func TestASnapshotIsTheTable(t *testing.T) {
	rules := []device.Agent{{Words: []string{"Tizen", "TV"}, Without: []string{"Mobile"}, Type: kind("agent")}, {Words: []string{"TV"}, Type: kind("tv")}}
	for name, tt := range map[string]*device.Table{
		"built in": device.Embedded(), "empty": table(t, 1), "small": tableOf(t, 9, []device.Row{row("A-", "a"), {"B-", device.Type{ID: "b", Name: "Ä"}}}, rules),
	} {
		back, err := device.Decode(tt.Encode())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if back.Digest() != tt.Digest() || back.Version() != tt.Version() || !back.Made().Equal(tt.Made()) {
			t.Errorf("%s: version %d of %v, want %d of %v", name, back.Version(), back.Made(), tt.Version(), tt.Made())
		}
		if d := cmp.Diff(tt.Agents(), back.Agents()) + cmp.Diff(tt.Types(), back.Types()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		for row := range tt.Rows() {
			if got := back.Lookup(row.Prefix, ""); got != row.Type {
				t.Errorf("%s: %s is %+v", name, row.Prefix, got)
			}
		}
	}
}

// Two tables that differ in anything differ in their digest.
func TestADigestIsOfEverything(t *testing.T) {
	rule := device.Agent{Words: []string{"TV"}, Type: kind("a")}
	seen := map[[32]byte]string{}
	for name, tt := range map[string]*device.Table{
		"version 1": table(t, 1), "version 2": table(t, 2), "a row": table(t, 1, row("A", "a")), "another": table(t, 1, row("B", "a")), "its type": table(t, 1, row("A", "b")),
		"a rule": tableOf(t, 1, nil, []device.Agent{rule}), "without": tableOf(t, 1, nil, []device.Agent{{Words: rule.Words, Without: []string{"Tizen"}, Type: rule.Type}}),
	} {
		if other, there := seen[tt.Digest()]; there {
			t.Errorf("%s and %s", name, other)
		}
		seen[tt.Digest()] = name
	}
}

func TestSnapshotsThatAreNone(t *testing.T) {
	deflated := func(b []byte) []byte {
		var out bytes.Buffer
		w, _ := flate.NewWriter(&out, flate.BestCompression)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Bytes()
	}
	good := device.Embedded().Encode()
	for name, c := range map[string]struct {
		snapshot []byte
		want     string
	}{
		"nothing":             {nil, "DEFLATE"},
		"no DEFLATE":          {[]byte("{}"), "DEFLATE"},
		"cut short":           {good[:len(good)/2], "DEFLATE"},
		"something behind":    {append(bytes.Clone(good), 0), "behind its end"},
		"too long":            {make([]byte, device.MaxSealed+1), "at most 65536"},
		"a bomb":              {deflated(make([]byte, 5<<20)), "more than 4194304 bytes"},
		"nothing in it":       {deflated(nil), "an array"},
		"no array":            {deflated([]byte("hello")), "an array"},
		"more than there are": {deflated([]byte{0x94, 1, 1, 0xdd, 0xff, 0xff, 0xff, 0xff}), "an array of 0 to 16384"},
		"rows that aren't":    {deflated([]byte{0x94, 1, 1, 0xdc, 0x40, 0x00}), "an array of 0 to 16384"},
		"text that isn't":     {deflated([]byte{0x94, 1, 1, 0x91, 0x92, 0xdb, 0xff, 0xff, 0xff, 0xff}), "text"},
		"a negative version":  {deflated([]byte{0x94, 0xff, 1, 0x90, 0x90}), "a number"},
		"no version":          {deflated([]byte{0x94, 0, 1, 0x90, 0x90}), "version 0"},
		"no time":             {deflated([]byte{0x94, 1, 0, 0x90, 0x90}), "after 1970"},
		"no such category":    {deflated([]byte("\x94\x01\x01\x91\x92\xa1A\x94\xa1a\x08\xa0\xa1a\x90")), "a category of 0 to 7"},
		"rows out of order":   {deflated([]byte("\x94\x01\x01\x92\x92\xa1B\x94\xa1a\x01\xa0\xa1a\x92\xa1A\x94\xa1a\x01\xa0\xa1a\x90")), "in order"},
		"a row twice":         {deflated([]byte("\x94\x01\x01\x92\x92\xa1A\x94\xa1a\x01\xa0\xa1a\x92\xa1A\x94\xa1a\x01\xa0\xa1a\x90")), "each once"},
		"more behind":         {deflated([]byte("\x94\x01\x01\x90\x90\x90")), "its end"},
	} {
		if tt, err := device.Decode(c.snapshot); err == nil || tt != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := device.Decode(deflated([]byte("\x94\x01\x01\x91\x92\xa1A\x94\xa1a\x01\xa0\xa1a\x90"))); err != nil {
		t.Errorf("what these were made of: %v", err)
	}
}
