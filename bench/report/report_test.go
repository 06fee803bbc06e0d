package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/report/chart"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files anew")

// Both are made up: nobody measured what is in them. In the later one warmline's
// adapter needs a fifth more CPU; everything else differs by chance.
const (
	madeUp        = "testdata/made-up.json"
	madeUpEarlier = "testdata/made-up-earlier.json"
)

func read(t testing.TB, path string) *Report {
	t.Helper()
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", path, diff)
	}
}

func TestSummaryAnswersFirst(t *testing.T) {
	var b strings.Builder
	if err := read(t, madeUp).WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.txt", b.String())
}

func TestSummaryOfLessSaysWhatIsMissing(t *testing.T) {
	r := read(t, madeUp)
	r.Job, r.Wire, r.Note = nil, nil, "quick: rounds of a moment"
	r.Machine.Load = "0.1"
	r.Chain.Method.Rounds, r.Pieces.Method.Rounds = 1, 2
	var b strings.Builder
	if err := r.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"not measured: job, wire\n", "  quick: rounds of a moment\n", "6 of 7 bars hold", "  Fewer than three rounds of chain, pieces: their medians say little.\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it doesn't say %q:\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "busy") {
		t.Error("a load of 0.1 is busy")
	}
}

// What another contender does better is said, and what is level is not.
func TestSummaryNamesWhoIsAhead(t *testing.T) {
	r := New()
	add(t, r, map[string]any{"bench": "job", "results": []JobResult{
		{Contender: "grpc-unary", Mode: "closed", RTT: 1, Concurrency: 8, P50: 900, P99: 5000, CPU: 50},
		{Contender: "warmline", Mode: "closed", RTT: 1, Concurrency: 8, P50: 1000, P99: 5010, CPU: 40},
		{Contender: "warmline-pipelined", Mode: "closed", RTT: 1, Concurrency: 8, P50: 500, P99: 900, CPU: 30},
	}})
	a := r.answer()
	if diff := cmp.Diff([]string{"median, 1 ms between the tiers, 8 jobs at a time: warmline 1.0 ms, grpc-unary 900 µs"}, a.Behind); diff != "" {
		t.Error(diff)
	}
	if a.Baseline != "grpc-unary" {
		t.Errorf("the baseline without http1 is %s", a.Baseline)
	}
}

func add(t testing.TB, r *Report, bench any) {
	t.Helper()
	if err := r.Add(bench); err != nil {
		t.Fatal(err)
	}
}

// Timelines have the jobs of all rounds, by when they were due.
func TestTimelineIsOfOneRound(t *testing.T) {
	got := perSecondSteps(FaultsResult{Rounds: 2, Timeline: []Moment{{At: 0, OK: 10}, {At: 500, OK: 20, Failed: 4}, {At: 750, OK: 1}}})
	want := []chart.Step{{From: 0, To: 0.5, OK: 10}, {From: 0.5, To: 0.75, OK: 40, Failed: 8}, {From: 0.75, To: 1, OK: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBarsSayByHowMuchTheyAreMissed(t *testing.T) {
	for _, tt := range []struct {
		bar  harness.Bar
		want string
	}{
		{harness.AtMost("x", 0.5, 0.4), "25 % above"},
		{harness.AtMost("x", 0.4, 0.4), ""},
		{harness.AtMost("x", 1, 0), "missed"},
		{harness.AtLeast("x", 3, 4), "25 % below"},
		{harness.AtLeast("x", 0, 4), "missed"},
	} {
		if got := (judgement{"job", tt.bar}).Missed(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.bar, got, tt.want)
		}
	}
}

// Fields that this package doesn't know are kept, whatever they are.
func TestReportKeepsWhatItWasGiven(t *testing.T) {
	r := New()
	add(t, r, json.RawMessage(`{"bench":"pieces","results":[{"piece":"a","ns_per_op":3,"later":[1]}],"more":{"x":"<y>"}}`))
	add(t, r, struct {
		harness.Head
		Results []WireResult `json:"results"`
	}{harness.Head{Bench: "wire", Date: time.Unix(0, 0)}, []WireResult{{Contender: "tcp"}}})
	dir := t.TempDir()
	if err := r.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Pieces json.RawMessage `json:"pieces"`
		Job    *struct{}       `json:"job"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, whole.Pieces); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.ReplaceAll(strings.ReplaceAll(compact.String(), `\u003c`, "<"), `\u003e`, ">"), `{"bench":"pieces","results":[{"piece":"a","ns_per_op":3,"later":[1]}],"more":{"x":"<y>"}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if whole.Job != nil {
		t.Error("a job that nobody ran")
	}
	again := read(t, filepath.Join(dir, JSONFile))
	if diff := cmp.Diff(r.Pieces.Results, again.Pieces.Results); diff != "" || !again.Date.Equal(r.Date) {
		t.Error(diff, again.Date)
	}
}

// One that a bench printed with --json is a report, too.
func TestReadTakesWhatOneBenchPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.json")
	data, err := json.Marshal(read(t, madeUp).Job)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r := read(t, path)
	if r.Job == nil || len(r.Job.Results) == 0 || r.Date.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	many := `{"contender":"x"}` + strings.Repeat(`,{"contender":"x"}`, maxResults)
	for _, tt := range []struct{ in, want string }{
		{``, "unexpected end"},
		{`garbled`, "invalid character"},
		{`[]`, "cannot unmarshal array"},
		{`{}`, "there is no bench in it"},
		{`{"bench":"else"}`, `no bench "else": there are job`},
		{`{"job":{}}`, `job: it has no "bench"`},
		{`{"job":{"bench":"wire"}}`, `job: that is the report of the bench "wire"`},
		{`{"job":7}`, "cannot unmarshal number"},
		{`{"job":{"bench":"job","results":[{}]}}`, "job: result 1: a name is missing"},
		{`{"bench":"job","results":[{"contender":"a\u001b[2Jb","mode":"closed"}]}`, "a name that can't be printed"},
		{`{"bench":"job","results":[{"contender":"a\u202eb","mode":"closed"}]}`, "a name that can't be printed"},
		{`{"bench":"chain","results":[{"contender":"` + strings.Repeat("x", 81) + `","shape":"fan"}]}`, "a name of 81 bytes, at most 80"},
		{`{"bench":"chain","results":[{"contender":"x","shape":"fan","p50_us":-1}]}`, "a figure of -1, expected 0 to 1e+15"},
		{`{"bench":"chain","results":[{"contender":"x","shape":"fan","p50_us":1e16}]}`, "a figure of 1e+16"},
		{`{"bench":"chain","results":[{"contender":"x","shape":"fan","p50_us":1e999}]}`, "cannot unmarshal number"},
		{`{"bench":"chain","results":[{"contender":"x","shape":"fan","n":1.5}]}`, "cannot unmarshal number"},
		{`{"bench":"wire","results":[` + many + `]}`, "5001 results, at most 5000"},
		{`{"bench":"faults","results":[{"contender":"x","fault":"kill","events":[{"what":"a\u001bb"}]}]}`, "a name that can't be printed"},
		{`{"bench":"pieces","figures":[{"figure":"x","value":-1e16}]}`, "pieces: figure 1: a figure of 1e+16"},
		{`{"bench":"pieces","bars":[{"what":""}]}`, "pieces: bar 1: a name is missing"},
		{`{"bench":"pieces","method":{"text":"` + strings.Repeat("x", maxText+1) + `"}}`, "4097 bytes of text, at most 4096"},
		{`{"bench":"pieces","machine":{"cpu":"a\nb"}}`, "machine: a name that can't be printed"},
		{`{"note":"a\u001bb","bench":"pieces"}`, "a note that can't be printed"},
		{`{"bench":"faults","results":[{"contender":"x","fault":"kill","timeline":[{"t_ms":5},{"t_ms":5}]}]}`, "a timeline that goes back, at 5 ms"},
		{`{"bench":"pieces","x":` + strings.Repeat("[", 20_000), "exceeded max depth"},
		{`{"bench":"pieces","x":"` + strings.Repeat("x", maxFile) + `"}`, "it is larger than 16 MiB"},
	} {
		path := filepath.Join(t.TempDir(), "old.json")
		if err := os.WriteFile(path, []byte(tt.in), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path+" is no report of warmline-bench: ") {
			t.Errorf("%.80s: %v, want %s", tt.in, err, tt.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); !os.IsNotExist(err) {
		t.Error(err)
	}
	if err := New().Add(map[string]any{"bench": "job", "results": []JobResult{{Contender: "x", P50: 1}}}); err == nil || !strings.Contains(err.Error(), "a name is missing") {
		t.Error(err)
	}
}

// Whatever is taken can be drawn, written and compared.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"job":{"bench":"job","results":[{"contender":"http1","mode":"closed","p50_us":3,"p99_us":4,"cpu_us_per_job":1,"jobs_per_s":5},{"contender":"warmline","rtt_ms":1,"mode":"open","rate":9,"p50_us":3,"p90_us":4,"p99_us":5,"p999_us":0}]}}`,
		`{"bench":"chain","results":[{"contender":"a","shape":"chain","n":1,"p50_us":1},{"contender":"a","shape":"fan","n":0,"p50_us":1e15},{"contender":"b","shape":"fan","n":9,"p50_us":1e-300}]}`,
		`{"bench":"scale","results":[{"contender":"warmline","of":"lines","n":1,"adapter_bytes":3},{"contender":"warmline","of":"lines","n":10,"adapter_bytes_each":-4}]}`,
		`{"bench":"faults","results":[{"contender":"a","fault":"kill","error_ratio":0.5,"errors":{"EOF":3},"timeline":[{"t_ms":0,"ok":1},{"t_ms":1e-9,"failed":2,"p99_us":7}]}]}`,
		`{"bench":"pieces","results":[{"piece":"<b>","ns_per_op":1}],"bars":[{"what":"x","value":-3,"limit":0},{"what":"y","at_most":true,"value":1,"limit":2}],"failures":[{"error":"no","at":[1]}]}`,
		`{"bench":"wire","results":[{"contender":"tcp","in_flight":1,"payload_bytes":256,"ops_per_s":10,"ops_min":1,"ops_max":20}],"method":{"rounds":1},"machine":{"cores":2,"load":"9"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(data)
		if err != nil {
			return
		}
		drawings := r.drawings()
		for _, d := range drawings {
			if !slices.Contains(files, d.File) {
				t.Errorf("%s is not among the files", d.File)
			}
		}
		c := Compare(r, r)
		if marked := c.Marked(); len(marked) > 0 {
			t.Errorf("it differs from itself: %+v", marked)
		}
		if _, err := r.page(drawings, c); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
