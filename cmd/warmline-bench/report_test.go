package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAReportIsWrittenAndComparedWith(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	out, errs, code := run(t, "report", "--quick", "--benches", "wire", "--out", dir)
	if code != 0 || !strings.HasPrefix(errs, "1 of 1, about 20s left in all: warmline-bench wire --json --rounds 1 ") || !strings.Contains(errs, "round 1 of 1 done") {
		t.Fatalf("exit %d, %s", code, errs)
	}
	if !strings.HasSuffix(out, "\n"+filepath.Join(dir, "index.html")+"\n") || !strings.Contains(out, "Measured with --quick") {
		t.Errorf("it ends with\n%s", out)
	}
	for _, name := range []string{"index.html", "report.json", "wire.svg", "wire-dark.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	var r struct {
		Wire struct{ Results []map[string]any }
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Wire.Results) < 10 {
		t.Errorf("%d results, %v", len(r.Wire.Results), err)
	}
	out, errs, code = run(t, "report", "--quick", "--benches", "wire", "--out", dir, "--against", filepath.Join(dir, "report.json"))
	if code != 0 || !strings.Contains(out, "A difference counts if") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
}

func TestReportsThatMakeNoSenseAreRefused(t *testing.T) {
	garbled := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(garbled, []byte(`{"bench":"soap"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"report --benches soap", `no bench "soap": there are job, chain, scale, faults, pieces, wire`},
		{"report --benches=", "nothing to measure: expected at least one of job"},
		{"report --out " + filepath.Join(garbled, "in"), "not a directory"},
		{"report --against nowhere.json", "nowhere.json: no such file"},
		{"report --against " + garbled, `is no report of warmline-bench: no bench "soap"`},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q, %q; want 2 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}
