package admin_test

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/await"
)

// names are all that there is, besides what the collectors for Go and the process
// give. Dashboards and alerts go by them.
const names = `warmline_bus_connected gauge
warmline_bus_state_seconds gauge
warmline_cache_age_seconds gauge cache
warmline_cache_bytes gauge cache
warmline_cache_dropped_total counter cache
warmline_cache_entries gauge cache
warmline_cache_evictions_total counter cache
warmline_cache_fallbacks_total counter cache
warmline_cache_hits_total counter cache
warmline_cache_load_failures_total counter cache
warmline_cache_load_seconds summary cache
warmline_cache_loads_total counter cache
warmline_cache_max_bytes gauge cache
warmline_cache_misses_total counter cache
warmline_cache_refreshes_total counter cache
warmline_cache_stale_total counter cache
warmline_cache_taken_over_total counter cache
warmline_edge_at_once gauge
warmline_edge_call_failures_total counter
warmline_edge_calls_total counter
warmline_edge_conversations gauge
warmline_edge_forbidden_total counter
warmline_edge_lines gauge
warmline_edge_references_total counter
warmline_edge_refused_total counter
warmline_edge_unauthenticated_total counter
warmline_edge_view_hits_total counter
warmline_source_attempt_failures_total counter kind source
warmline_source_attempt_p50_seconds gauge source
warmline_source_attempt_p95_seconds gauge source
warmline_source_attempts_total counter source
warmline_source_breaker gauge source state
warmline_source_budget gauge source
warmline_source_hedges_total counter source
warmline_source_hedges_won_total counter source
warmline_source_in_flight gauge source
warmline_source_limit gauge source
warmline_source_missed_total counter reason source
warmline_source_refused_total counter reason source
warmline_source_request_failures_total counter source
warmline_source_requests_total counter source
warmline_source_resting gauge source
warmline_source_retries_total counter source
`

// filled are figures that are all different, and not 0.
func filled() edgelayer.Stats {
	s := edgelayer.Stats{Name: "east"}
	c, src := warm.Stats{}, source.Stats{Breaker: "open"}
	n := 1000
	for _, v := range []any{&s, &c, &src} {
		fill(reflect.ValueOf(v).Elem(), "", func(field reflect.Value, _ string) {
			n++
			if field.CanInt() {
				field.SetInt(int64(n))
			} else {
				field.SetFloat(float64(n))
			}
		})
	}
	s.Caches = map[string]warm.Stats{"catalogue.film": c, "members.member": {}}
	s.Sources = map[string]source.Stats{"catalogue": src, "members": {Breaker: "off", Budget: -1}}
	return s
}

// fill calls set for each number in v, with the path of its JSON names.
func fill(v reflect.Value, path string, set func(field reflect.Value, path string)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Tag.Get("json")
		switch {
		case field.Kind() == reflect.Struct:
			fill(field, name+".", set)
		case field.CanInt() || field.CanFloat():
			set(field, name)
		}
	}
}

func (p *port) scrape() (text string, families map[string]*dto.MetricFamily) {
	p.t.Helper()
	status, _, text := p.ask("GET /metrics", "")
	if status != http.StatusOK {
		p.t.Fatalf("%d %s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	return text, families
}

func bus(connected bool, since time.Time) func() (bool, time.Time) {
	return func() (bool, time.Time) { return connected, since }
}

func TestMetricNames(t *testing.T) {
	p := start(t, admin.Edge{Stats: filled, Bus: bus(true, time.Time{})})
	text, families := p.scrape()
	if diff := cmp.Diff(names, namesIn(families)); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	if got := families["warmline_bus_state_seconds"].Metric[0].Gauge.GetValue(); got < 0 || got > 3600 {
		t.Errorf("the bus is there since the start, and that was %v s ago", got)
	}
	lint(t, text)
}

// namesIn are the families of Warmline: name, type, labels.
func namesIn(families map[string]*dto.MetricFamily) string {
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		fmt.Fprintf(&got, "%s %s", name, strings.ToLower(f.GetType().String()))
		for _, l := range f.Metric[0].Label {
			got.WriteString(" " + l.GetName())
		}
		got.WriteString("\n")
	}
	return got.String()
}

func lint(t *testing.T, text string) {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A figure that is added to the edge, a cache or a source has to be added here too.
func TestEveryFigureIsThere(t *testing.T) {
	stats := filled()
	p := start(t, admin.Edge{Stats: func() edgelayer.Stats { return stats }})
	_, families := p.scrape()
	there := map[float64]string{}
	for name, f := range families {
		for _, m := range f.Metric {
			for _, v := range values(m) {
				if strings.HasPrefix(name, "warmline_") {
					there[v] = name
				}
			}
		}
	}
	for tier, v := range map[string]any{"edge": stats, "cache": stats.Caches["catalogue.film"], "source": stats.Sources["catalogue"]} {
		fields := 0
		fill(reflect.ValueOf(v), "", func(field reflect.Value, path string) {
			fields++
			want := 0.0
			if field.CanInt() {
				want = float64(field.Int())
			} else {
				want = field.Float()
			}
			if strings.HasSuffix(path, "_ms") {
				want /= 1000
			}
			if !strings.HasPrefix(there[want], "warmline_"+tier+"_") {
				t.Errorf("%s: no %s: %v is %q", tier, path, want, there[want])
			}
		})
		if fields < 8 {
			t.Errorf("%s has %d figures", tier, fields)
		}
	}
}

func values(m *dto.Metric) []float64 {
	switch {
	case m.Gauge != nil:
		return []float64{m.Gauge.GetValue()}
	case m.Counter != nil:
		return []float64{m.Counter.GetValue()}
	case m.Summary != nil:
		vs := []float64{float64(m.Summary.GetSampleCount()), m.Summary.GetSampleSum()}
		for _, q := range m.Summary.Quantile {
			vs = append(vs, q.GetValue())
		}
		return vs
	}
	return nil
}

func TestFiguresAreThoseOfTheirNames(t *testing.T) {
	at := time.Now().Add(-time.Hour)
	p := start(t, admin.Edge{Bus: bus(false, at), Stats: func() edgelayer.Stats {
		return edgelayer.Stats{
			Lines: 2, Conversations: 3, Calls: 4, Failures: 5, References: 6, ViewHits: 7, Refused: 8,
			Caches: map[string]warm.Stats{
				"catalogue.film": {
					Entries: 1, Bytes: 2, Most: 3, Hits: 4, Misses: 5, Stale: 6, Fallbacks: 7, Loads: 8, Failures: 9, Refreshes: 10, Evictions: 11,
					Dropped: 12, Taken: 13, LoadP50: 1500, LoadP99: 2500, LoadSum: 12500, Age: 14,
				},
				"members.member": {},
			},
			Sources: map[string]source.Stats{
				"catalogue": {
					Requests: 1, Failures: 2, Refused: source.Refused{Limit: 3, Breaker: 4},
					Attempts: 5, Failed: source.Failed{Timeout: 6, Unreachable: 7, CutOff: 8, Status: 9, Garbage: 10, TooLarge: 11},
					Retries: 12, Hedges: 13, HedgesWon: 14, Missed: source.Missed{Budget: 15, Limit: 16},
					InFlight: 17, Limit: 18, Breaker: "half-open", Budget: 0, Resting: 19, P50: 250, P95: 750,
				},
				"members": {Breaker: "off", Budget: -1},
			},
		}
	}})
	text, families := p.scrape()
	for line := range strings.Lines(`
warmline_edge_lines 2
warmline_edge_conversations 3
warmline_edge_calls_total 4
warmline_edge_call_failures_total 5
warmline_edge_references_total 6
warmline_edge_view_hits_total 7
warmline_edge_refused_total 8
warmline_edge_at_once +Inf
warmline_cache_entries{cache="catalogue.film"} 1
warmline_cache_bytes{cache="catalogue.film"} 2
warmline_cache_max_bytes{cache="catalogue.film"} 3
warmline_cache_hits_total{cache="catalogue.film"} 4
warmline_cache_misses_total{cache="catalogue.film"} 5
warmline_cache_stale_total{cache="catalogue.film"} 6
warmline_cache_fallbacks_total{cache="catalogue.film"} 7
warmline_cache_loads_total{cache="catalogue.film"} 8
warmline_cache_load_failures_total{cache="catalogue.film"} 9
warmline_cache_refreshes_total{cache="catalogue.film"} 10
warmline_cache_evictions_total{cache="catalogue.film"} 11
warmline_cache_dropped_total{cache="catalogue.film"} 12
warmline_cache_taken_over_total{cache="catalogue.film"} 13
warmline_cache_age_seconds{cache="catalogue.film"} 14
warmline_cache_load_seconds{cache="catalogue.film",quantile="0.5"} 1.5
warmline_cache_load_seconds{cache="catalogue.film",quantile="0.99"} 2.5
warmline_cache_load_seconds_sum{cache="catalogue.film"} 12.5
warmline_cache_load_seconds_count{cache="catalogue.film"} 8
warmline_cache_load_seconds{cache="members.member",quantile="0.5"} NaN
warmline_source_requests_total{source="catalogue"} 1
warmline_source_request_failures_total{source="catalogue"} 2
warmline_source_refused_total{reason="limit",source="catalogue"} 3
warmline_source_refused_total{reason="breaker",source="catalogue"} 4
warmline_source_attempts_total{source="catalogue"} 5
warmline_source_attempt_failures_total{kind="timeout",source="catalogue"} 6
warmline_source_attempt_failures_total{kind="unreachable",source="catalogue"} 7
warmline_source_attempt_failures_total{kind="cut_off",source="catalogue"} 8
warmline_source_attempt_failures_total{kind="status",source="catalogue"} 9
warmline_source_attempt_failures_total{kind="garbage",source="catalogue"} 10
warmline_source_attempt_failures_total{kind="too_large",source="catalogue"} 11
warmline_source_retries_total{source="catalogue"} 12
warmline_source_hedges_total{source="catalogue"} 13
warmline_source_hedges_won_total{source="catalogue"} 14
warmline_source_missed_total{reason="budget",source="catalogue"} 15
warmline_source_missed_total{reason="limit",source="catalogue"} 16
warmline_source_in_flight{source="catalogue"} 17
warmline_source_limit{source="catalogue"} 18
warmline_source_resting{source="catalogue"} 19
warmline_source_budget{source="catalogue"} 0
warmline_source_attempt_p50_seconds{source="catalogue"} 0.25
warmline_source_attempt_p95_seconds{source="catalogue"} 0.75
warmline_source_breaker{source="catalogue",state="closed"} 0
warmline_source_breaker{source="catalogue",state="half-open"} 1
warmline_source_breaker{source="catalogue",state="open"} 0
warmline_source_breaker{source="catalogue",state="off"} 0
warmline_source_breaker{source="members",state="off"} 1
warmline_source_limit{source="members"} +Inf
warmline_source_budget{source="members"} +Inf
warmline_source_attempt_p50_seconds{source="members"} NaN
warmline_bus_connected 0
`[1:]) {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s", line)
		}
	}
	if got := families["warmline_bus_state_seconds"].Metric[0].Gauge.GetValue(); math.Abs(got-time.Since(at).Seconds()) > 60 {
		t.Errorf("the bus has been away for %v s", got)
	}
}

func TestScrapeReadsTheFiguresEachTime(t *testing.T) {
	calls := int64(0)
	p := start(t, admin.Edge{Stats: func() edgelayer.Stats { calls++; return edgelayer.Stats{Calls: calls} }})
	for n := range 3 {
		_, families := p.scrape()
		if got := families["warmline_edge_calls_total"].Metric[0].Counter.GetValue(); got != float64(n+1) {
			t.Errorf("scrape %d: %v", n+1, got)
		}
		if families["warmline_bus_connected"] != nil {
			t.Error("there is no bus to be connected to")
		}
	}
}

// A name that Prometheus can't have costs that cache's figures, not all.
func TestNameThatIsNoTextLeavesTheOthers(t *testing.T) {
	p := start(t, admin.Edge{Stats: func() edgelayer.Stats {
		return edgelayer.Stats{Caches: map[string]warm.Stats{"\xff": {Hits: 1}, "catalogue.film": {Hits: 2}}}
	}})
	text, _ := p.scrape()
	if !strings.Contains(text, "warmline_cache_hits_total{cache=\"catalogue.film\"} 2\n") || !strings.Contains(text, "warmline_edge_lines 0\n") {
		t.Error(text)
	}
	if log := p.log.String(); !strings.Contains(log, "not valid UTF-8") {
		t.Errorf("the log has %q", log)
	}
}

func TestScrapesAtOnceAreBounded(t *testing.T) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	p := start(t, admin.Edge{Stats: func() edgelayer.Stats {
		entered <- struct{}{}
		<-goOn
		return edgelayer.Stats{}
	}})
	statuses := make(chan int)
	for range 4 {
		go func() {
			res, err := p.web.Get("http://" + p.Address() + "/metrics")
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			defer res.Body.Close()
			statuses <- res.StatusCode
		}()
		await.Value(t, "a scrape", entered)
	}
	p.want("GET /metrics", http.StatusServiceUnavailable, "Limit of concurrent requests reached (4)")
	close(goOn)
	for range 4 {
		if status := await.Value(t, "the end of a scrape", statuses); status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
}
