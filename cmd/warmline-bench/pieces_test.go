package main

import (
	"encoding/json"
	"strings"
	"testing"

	"warmline.dev/bench/pieces"
)

var tinyPieces = []string{"pieces", "--rounds", "1", "--duration", "5ms", "--warm-up", "0"}

func TestPiecesAreAllMeasured(t *testing.T) {
	out, errs, code := run(t, append(tinyPieces, "--json")...)
	if code != 0 || !strings.Contains(errs, "round 1 of 1 done, after ") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r pieces.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Bench != "pieces" || r.Versions["warmline.dev"] == "" || r.Machine.Cores < 1 {
		t.Fatalf("%v: %s", err, out)
	}
	results := map[string]pieces.Result{}
	of := map[string]int{}
	for _, res := range r.Results {
		results[res.Piece] = res
		of[res.Group]++
		if res.NsPerOp <= 0 || res.NsMin != res.NsPerOp || res.NsMax != res.NsPerOp || res.Rounds != 1 {
			t.Errorf("%+v", res)
		}
		if (res.Group == "codec") != (res.MBPerSecond > 0) {
			t.Errorf("%s: %v MB/s", res.Piece, res.MBPerSecond)
		}
	}
	if of["passport"] != 2 || of["revocation"] != 4 || of["cache"] != 2 || of["codec"] != 8 || of["call"] != 3 || len(r.Groups) != 5 {
		t.Errorf("%v of %v", of, r.Groups)
	}
	// What is in memory is not allocated, and JSON is longer: so the figures are of what they are said to be.
	for _, piece := range []string{"passport, seen before", "revocation check, not in the set", "warm cache hit, parallel"} {
		if results[piece].AllocsPerOp > 0.5 {
			t.Errorf("%+v", results[piece])
		}
	}
	if results["passport, first sight"].AllocsPerOp < 2 || results["msgpack, answer encoded"].Encoded >= results["JSON, answer encoded"].Encoded {
		t.Errorf("%+v, %+v", results["passport, first sight"], results["msgpack, answer encoded"])
	}
	if allocs := results["call from memory, 64 in flight"].AllocsPerOp; allocs < 2 || allocs > 50 {
		t.Errorf("%v allocations for a call", allocs)
	}
	figures := map[string]float64{}
	for _, f := range r.Figures {
		figures[f.What] = f.Value
	}
	if bytes := figures["revocation filter, memory"]; bytes < 2*115_000 || bytes > 280_000 {
		t.Errorf("a filter of %v bytes", bytes)
	}
	if wrong := figures["revocation filter, false positives"]; wrong <= 0 || wrong > 100 {
		t.Errorf("%v false positives of a million", wrong)
	}
	if minute := figures["revocation, what a gateway gets in a minute of 240 changes"]; minute < 240*12 || minute > figures["revocation, a snapshot"] {
		t.Errorf("%v bytes a minute", minute)
	}
	if len(r.Bars) != 10 {
		t.Errorf("%d bars: %+v", len(r.Bars), r.Bars)
	}
}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestPiecesJSONKeys(t *testing.T) {
	out, _, _ := run(t, append(tinyPieces, "--pieces", "passport", "--json")...)
	var r struct {
		Bench   string
		Results []map[string]any
		Bars    []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Bench != "pieces" || len(r.Results) != 2 || len(r.Bars) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, key := range []string{"piece", "ns_per_op", "allocs_per_op", "bytes_per_op"} {
		if _, ok := r.Results[0][key]; !ok {
			t.Errorf("no %s in %v", key, r.Results[0])
		}
	}
}

func TestPiecesTable(t *testing.T) {
	out, _, code := run(t, append(tinyPieces, "--pieces", "codec,passport")...)
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"warmline-bench pieces: ", "rounds    1 of 0.005 s for each", "\npassport: ", "\n  passport, first sight ", "\ncodec: ", "\n  JSON, answer decoded ", "\nbars\n  passport, seen before: ns "} {
		if !strings.Contains(out, want) {
			t.Errorf("the table does not say %q:\n%s", want, out)
		}
	}
	for _, unwanted := range []string{"warm cache", "revocation", "figures", "came to nothing"} {
		if strings.Contains(out, unwanted) {
			t.Errorf("the table says %q:\n%s", unwanted, out)
		}
	}
}

func TestPiecesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"pieces --pieces passport,cookie", `no piece "cookie": there are passport, revocation, cache, codec, call`},
		{"pieces --pieces=", "nothing to measure: expected at least one of passport"},
		{"pieces --rounds 0", "expected at least one round"},
		{"pieces --duration 0", "expected at least one round, and a duration"},
		{"pieces --warm-up -1s", "after -1s"},
		{"pieces --fast", "unknown flag: --fast; see warmline-bench pieces --help"},
		{"pieces passport", `warmline-bench pieces takes no arguments, got "passport"`},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, %q, %q; want 2 and one line with %q", tt.args, code, out, errs, tt.want)
		}
	}
}

func TestPiecesHelp(t *testing.T) {
	out, _, code := run(t, "pieces", "--help")
	if code != 0 || !strings.Contains(out, strings.Join(pieces.Groups(), ", ")) || !strings.Contains(out, "--pieces passport,cache --rounds 9") {
		t.Errorf("exit %d, %s", code, out)
	}
	if out, _, _ := run(t); !strings.Contains(out, "warmline-bench pieces ") || strings.Contains(out, "pieces-edge") {
		t.Error(out)
	}
}
