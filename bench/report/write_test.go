package report

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteMakesEveryFile(t *testing.T) {
	r := read(t, madeUp)
	var drawn []string
	for _, d := range r.drawings() {
		drawn = append(drawn, d.File)
	}
	if diff := cmp.Diff(files, drawn); diff != "" {
		t.Error(diff)
	}
	r.Job, r.Scale, r.Faults, r.Wire = nil, nil, nil, nil // pixels take their time
	dir := filepath.Join(t.TempDir(), "not", "there")
	if err := r.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{PageFile, JSONFile}
	for _, chart := range []string{"chain", "fan", "pieces"} {
		want = append(want, chart+".svg", chart+".png", chart+"-dark.svg", chart+"-dark.png")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, name := range want {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(name) {
		case ".png":
			if _, err := png.DecodeConfig(bytes.NewReader(data)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case ".svg":
			if !bytes.Contains(data, []byte("Made-up CPU")) {
				t.Errorf("%s doesn't say on what it was measured", name)
			}
		}
	}
}

// A report that has less leaves no charts of the one before, nor what a crash left,
// and nothing that is another's is touched.
func TestWriteReplacesAnEarlierReport(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "faults.svg", "faults-dark.png", PageFile, ".warmline-report-new/index.html"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := New()
	add(t, r, read(t, madeUp).Pieces)
	if err := r.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{PageFile, "notes.txt", "pieces-dark.png", "pieces-dark.svg", "pieces.png", "pieces.svg", JSONFile}
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Error(diff)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "notes.txt")); string(got) != "old" {
		t.Errorf("notes.txt: %s", got)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, PageFile)); string(got) == "old" {
		t.Error("the old page is still there")
	}
}

func TestWriteThatFailsLeavesTheOldReport(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, PageFile), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := New()
	r.Pieces = &Bench[PiecesResult]{} // not from JSON: it can't be written
	if err := r.Write(dir, nil); err == nil {
		t.Error("it was written")
	}
	if diff := cmp.Diff([]string{PageFile}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
	file := filepath.Join(dir, PageFile)
	if err := New().Write(file, nil); err == nil {
		t.Error("it was written into a file")
	}
}

// page parses the page, checks that it needs nothing but itself, and returns what
// it says.
func pageOf(t *testing.T, r *Report, c *Comparison) string {
	t.Helper()
	data, err := r.page(r.drawings(), c)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	ids := map[string]bool{}
	var anchors []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			said.WriteString(n.Data + " ")
		}
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "foreignobject"}, strings.ToLower(n.Data)) {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				if ids[a.Val] {
					t.Errorf("two are %s", a.Val)
				}
				ids[a.Val] = true
			case a.Key == "href":
				anchors = append(anchors, a.Val)
			case a.Key == "src" || a.Key == "srcset" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, a := range anchors {
		if !ids[strings.TrimPrefix(a, "#")] {
			t.Errorf("a link to %s, which is not on the page", a)
		}
	}
	if strings.Contains(string(data), "@import") || strings.Contains(string(data), "url(") || strings.Contains(string(data), "ZgotmplZ") {
		t.Error("the style needs something else, or was refused")
	}
	return strings.Join(strings.Fields(said.String()), " ")
}

func TestPageHasEverything(t *testing.T) {
	now := read(t, madeUp)
	said := pageOf(t, now, Compare(now, read(t, madeUpEarlier)))
	for _, want := range []string{
		"Warmline, measured against what else could be used 20 November 2026, 10:01 UTC · 2 cores (Made-up CPU @ 2.40GHz)",
		"warmline-pipelined 1.1 ms (0.31 ×)",
		"14 of 17 bars hold ; missed:",
		"1 measurement came to nothing",
		"Since 12 November 2026, 10:01 UTC",
		"13 of 1,253 figures differ by more than the noise.",
		"what the rounds of either run differ by",
		"31.5 µs was 26.0 µs +21 %",
		"context deadline exceeded",
		"http1, an edge is killed 3.0 s edge 1 is killed",
		"revocation, a minute of changes 18,211 B",
		"job: in 1 of 46 rows jobs failed or could not be begun",
		"rate 5200, round 2, rtt ms 1: adapter: exit status 1: it could not keep up",
		"MADE UP for the tests of package report",
		"google.golang.org/grpc v1.85.0, warmline.dev v0.9.0",
		"3 of 2 s for each, after 0.5 s of warm-up",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it doesn't say %q", want)
		}
	}
	for _, d := range now.drawings() {
		if !strings.Contains(said, d.Title) || !strings.Contains(said, d.Read) {
			t.Errorf("%s has no title, or nobody says how to read it", d.File)
		}
	}
	if alone := pageOf(t, now, nil); strings.Contains(alone, "Since") || strings.Contains(alone, "was ") && strings.Contains(alone, "was 26.0") {
		t.Error("it compares with nothing")
	}
}

func TestPageOfNothing(t *testing.T) {
	if said := pageOf(t, New(), nil); !strings.Contains(said, "Not measured: job, chain, scale, faults, pieces, wire.") {
		t.Error(said)
	}
}

// What stands in a report is text, wherever it is shown.
func TestPageEscapesWhatItIsGiven(t *testing.T) {
	const evil = `</style></svg><script>alert(1)</script><img src=x onerror=y>"'`
	data, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parse([]byte(strings.ReplaceAll(`{"note":EVIL,
		"machine":{"cores":1,"cpu":EVIL},
		"job":{"bench":"job","results":[{"contender":EVIL,"mode":"closed","p50_us":1,"p99_us":2,"cpu_us_per_job":1,"jobs_per_s":1}],
			"bars":[{"what":EVIL,"value":2,"limit":1,"at_most":true}],"failures":[{"contender":EVIL,"error":EVIL}],
			"versions":{EVIL:EVIL},"method":{"text":EVIL},"contenders":[{"name":EVIL,"settings":EVIL}]},
		"pieces":{"bench":"pieces","results":[{"piece":EVIL}],"bars":[{"what":EVIL,"value":2,"limit":1,"at_most":true}]},
		"faults":{"bench":"faults","results":[{"contender":EVIL,"fault":EVIL,"errors":{EVIL:1},"timeline":[{"t_ms":0,"ok":1,"p99_us":3}]}]}}`, "EVIL", string(data))))
	if err != nil {
		t.Fatal(err)
	}
	if said := pageOf(t, r, Compare(r, r)); strings.Count(said, evil) < 10 {
		t.Errorf("%d times in %s", strings.Count(said, evil), said)
	}
}
