package admin_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/internal/admin"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport/device"
	"warmline.dev/passport/revocation"
	"warmline.dev/protocol/peers"
)

// namesOfGateway are all that a gateway's port has, besides the account source's, which
// are those of an edge's sources, and what the collectors for Go and the process give.
const namesOfGateway = `warmline_bus_connected gauge
warmline_bus_state_seconds gauge
warmline_devices_age_seconds gauge
warmline_devices_asked_total counter
warmline_devices_newest_version gauge
warmline_devices_pinned_version gauge
warmline_devices_refused_total counter
warmline_devices_rows gauge
warmline_devices_taken_total counter
warmline_devices_version gauge
warmline_gateway_adapters gauge
warmline_gateway_forbidden_total counter
warmline_gateway_lines gauge
warmline_gateway_request_seconds histogram
warmline_gateway_requests_total counter device status
warmline_gateway_unauthenticated_total counter
warmline_identity_asked_total counter
warmline_identity_requests_total counter outcome
warmline_revocation_age_seconds gauge
warmline_revocation_build_failures_total counter
warmline_revocation_build_seconds gauge
warmline_revocation_builds_total counter
warmline_revocation_bytes gauge
warmline_revocation_complete gauge
warmline_revocation_entries gauge
warmline_revocation_filter_bytes gauge
warmline_revocation_gaps_total counter
warmline_revocation_messages_total counter kind
warmline_revocation_publishers gauge
warmline_revocation_refused_total counter reason
warmline_revocation_stale gauge
`

func startGateway(t *testing.T, g admin.Gateway) *port {
	t.Helper()
	if g.Stats == nil {
		g.Stats = func() gateway.Stats { return gateway.Stats{} }
	}
	return (&port{t: t}).serve(admin.Config{}, func(cfg admin.Config) (*admin.Server, error) { return admin.StartGateway(t.Context(), cfg, g) })
}

// filledGateway are figures of which every number is different, and not 0.
func filledGateway() (g gateway.Stats, s source.Stats, r revocation.Stats) {
	g.Requests, g.Took.Within = make([]gateway.Requests, 1), make([]uint64, len(gateway.Bounds()))
	n := int64(1000)
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch _, isDevice := v.Interface().(device.Category); {
		case isDevice:
			v.SetUint(uint64(device.Phone))
		case v.Type() == reflect.TypeFor[time.Duration]():
			v.SetInt(n * int64(time.Second))
		case v.CanInt():
			v.SetInt(n)
		case v.CanUint():
			v.SetUint(uint64(n))
		case v.CanFloat():
			v.SetFloat(float64(n))
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case v.Kind() == reflect.Array || v.Kind() == reflect.Slice:
			for i := range v.Len() {
				fill(v.Index(i))
			}
		}
	}
	for _, v := range []any{&g, &s, &r} {
		fill(reflect.ValueOf(v).Elem())
	}
	g.Took.Count = uint64(n + 1) // more than in any bucket
	return g, s, r
}

func everything() admin.Gateway {
	g, s, r := filledGateway()
	return admin.Gateway{
		Stats:      func() gateway.Stats { return g },
		Identity:   func() map[string]uint64 { return map[string]uint64{"trusted": 5, "refused": 6, "asked": 7} },
		Sources:    func() map[string]source.Stats { return map[string]source.Stats{"accounts": s} },
		Revocation: func() revocation.Stats { return r },
		Bus:        bus(true, time.Time{}),
	}
}

func TestMetricNamesOfGateway(t *testing.T) {
	p := startGateway(t, everything())
	text, families := p.scrape()
	var sources strings.Builder
	for line := range strings.Lines(names) {
		if strings.HasPrefix(line, "warmline_source_") {
			sources.WriteString(line)
		}
	}
	if diff := cmp.Diff(namesOfGateway+sources.String(), namesIn(families)); diff != "" {
		t.Error(diff)
	}
	lint(t, text)
}

// A figure that is added to what a gateway counts has to be added here too.
func TestEveryFigureOfGatewayIsThere(t *testing.T) {
	p := startGateway(t, everything())
	_, families := p.scrape()
	there := map[string]map[float64]bool{}
	for name, f := range families {
		tier := strings.Join(strings.SplitN(name, "_", 3)[:2], "_")
		if there[tier] == nil {
			there[tier] = map[float64]bool{}
		}
		for _, m := range f.Metric {
			for _, v := range values(m) {
				there[tier][v] = true
			}
			if h := m.Histogram; h != nil {
				there[tier][float64(h.GetSampleCount())], there[tier][h.GetSampleSum()] = true, true
				for _, b := range h.Bucket {
					there[tier][float64(b.GetCumulativeCount())] = true
				}
			}
		}
	}
	g, s, r := filledGateway()
	g.Requests[0].Status[0], g.Requests[0].Status[1] = g.Requests[0].Status[2], g.Requests[0].Status[2] // that there are none of
	fields := 0
	var look func(tier, path string, v reflect.Value)
	look = func(tier, path string, v reflect.Value) {
		want, is := 0.0, true
		_, isDevice := v.Interface().(device.Category)
		took, isTime := v.Interface().(time.Duration)
		switch {
		case isDevice:
			is = false
		case isTime:
			want = took.Seconds()
		case v.CanInt():
			want = float64(v.Int())
		case v.CanUint():
			want = float64(v.Uint())
		case v.CanFloat() && strings.HasSuffix(path, "P50") || v.CanFloat() && strings.HasSuffix(path, "P95"):
			want = v.Float() / 1000
		case v.CanFloat():
			want = v.Float()
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				in := tier
				if v.Type().Field(i).Name == "Devices" {
					in = "warmline_devices"
				}
				look(in, path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			is = false
		case v.Kind() == reflect.Array || v.Kind() == reflect.Slice:
			for i := range v.Len() {
				look(tier, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
			is = false
		default:
			is = false
		}
		if !is {
			return
		}
		fields++
		if !there[tier][want] {
			t.Errorf("%s: %v is in no %s_…", path, want, tier)
		}
	}
	look("warmline_gateway", "gateway", reflect.ValueOf(g))
	look("warmline_source", "source", reflect.ValueOf(s))
	look("warmline_revocation", "revocation", reflect.ValueOf(r))
	if fields < 60 {
		t.Errorf("%d figures", fields)
	}
}

func TestFiguresOfGatewayAreThoseOfTheirNames(t *testing.T) {
	at := time.Now().Add(-time.Hour)
	p := startGateway(t, admin.Gateway{
		Stats: func() gateway.Stats {
			return gateway.Stats{
				Lines: 3, Adapters: 2, Peers: peers.Stats{Unauthenticated: 4, Forbidden: 5},
				Requests: []gateway.Requests{
					{Device: device.Other, Status: [6]uint64{4: 6}},
					{Device: device.SetTop, Status: [6]uint64{2: 7, 3: 8, 5: 9}},
				},
				Took:    gateway.Times{Count: 30, Sum: 12500 * time.Millisecond, Within: []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
				Devices: device.Stats{Version: 10, Newest: 11, Pinned: 12, Age: 13 * time.Second, Rows: 14, Taken: 15, Refused: 16, Asked: 17},
			}
		},
		Identity: func() map[string]uint64 { return map[string]uint64{"trusted": 18, "signed_out": 19, "asked": 20} },
		Sources: func() map[string]source.Stats {
			return map[string]source.Stats{"accounts": {Requests: 21, Breaker: "open"}}
		},
		Revocation: func() revocation.Stats {
			return revocation.Stats{
				Entries: 22, FilterBytes: 23, Bytes: 24, Complete: false, Stale: true, Age: 25 * time.Second, Publishers: 26,
				Changes: 27, Beats: 28, Snapshots: 29, Forged: 30, Malformed: 31, Old: 32, Gaps: 33, Builds: 34, BuildsFailed: 35, BuildTime: 36 * time.Millisecond,
			}
		},
		Bus: bus(false, at),
	})
	text, families := p.scrape()
	for line := range strings.Lines(`
warmline_gateway_lines 3
warmline_gateway_adapters 2
warmline_gateway_unauthenticated_total 4
warmline_gateway_forbidden_total 5
warmline_gateway_requests_total{device="other",status="2xx"} 0
warmline_gateway_requests_total{device="other",status="4xx"} 6
warmline_gateway_requests_total{device="settop",status="2xx"} 7
warmline_gateway_requests_total{device="settop",status="3xx"} 8
warmline_gateway_requests_total{device="settop",status="5xx"} 9
warmline_gateway_request_seconds_bucket{le="0.005"} 1
warmline_gateway_request_seconds_bucket{le="0.25"} 6
warmline_gateway_request_seconds_bucket{le="2.5"} 9
warmline_gateway_request_seconds_bucket{le="+Inf"} 30
warmline_gateway_request_seconds_sum 12.5
warmline_gateway_request_seconds_count 30
warmline_devices_version 10
warmline_devices_newest_version 11
warmline_devices_pinned_version 12
warmline_devices_age_seconds 13
warmline_devices_rows 14
warmline_devices_taken_total 15
warmline_devices_refused_total 16
warmline_devices_asked_total 17
warmline_identity_requests_total{outcome="trusted"} 18
warmline_identity_requests_total{outcome="signed_out"} 19
warmline_identity_asked_total 20
warmline_source_requests_total{source="accounts"} 21
warmline_source_breaker{source="accounts",state="open"} 1
warmline_revocation_entries 22
warmline_revocation_filter_bytes 23
warmline_revocation_bytes 24
warmline_revocation_complete 0
warmline_revocation_stale 1
warmline_revocation_age_seconds 25
warmline_revocation_publishers 26
warmline_revocation_messages_total{kind="change"} 27
warmline_revocation_messages_total{kind="beat"} 28
warmline_revocation_messages_total{kind="snapshot"} 29
warmline_revocation_refused_total{reason="forged"} 30
warmline_revocation_refused_total{reason="malformed"} 31
warmline_revocation_refused_total{reason="old"} 32
warmline_revocation_gaps_total 33
warmline_revocation_builds_total 34
warmline_revocation_build_failures_total 35
warmline_revocation_build_seconds 0.036
warmline_bus_connected 0
`[1:]) {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s", line)
		}
	}
	if got := families["warmline_bus_state_seconds"].Metric[0].Gauge.GetValue(); got < 3500 {
		t.Errorf("the bus has been away for %v s", got)
	}
	if strings.Contains(text, "asked\"") {
		t.Error("a question is no outcome")
	}
}

// A gateway without account source and bus has nothing to say of them.
func TestGatewaySaysNothingOfWhatItHasNot(t *testing.T) {
	text, families := startGateway(t, admin.Gateway{}).scrape()
	for name := range families {
		for _, of := range []string{"warmline_identity_", "warmline_source_", "warmline_revocation_", "warmline_bus_", "warmline_edge_"} {
			if strings.HasPrefix(name, of) {
				t.Errorf("there is %s", name)
			}
		}
	}
	lint(t, text)
}

func TestPortOfGatewayDropsNothing(t *testing.T) {
	p := startGateway(t, admin.Gateway{})
	p.want("GET /healthz", http.StatusOK, "ok\n")
	p.want("GET /readyz", http.StatusServiceUnavailable, "starting\n")
	p.Ready()
	p.want("GET /readyz", http.StatusOK, "ready\n")
	status, _, text := p.ask("POST /invalidate", `{"source":"catalogue","key":"17"}`, "Content-Type", "application/json")
	if status != http.StatusNotFound || !strings.Contains(text, "200 when the gateway is ready") || strings.Contains(text, "POST /invalidate  ") {
		t.Errorf("%d %s", status, text)
	}
	if status, _, text := p.ask("GET /healthz", "", "Host", "evil.example"); status != http.StatusForbidden || !strings.Contains(text, "the gateway's admin address") {
		t.Errorf("%d %s", status, text)
	}
	if _, err := admin.StartGateway(t.Context(), admin.Config{}, admin.Gateway{}); err == nil || !strings.Contains(err.Error(), "expected a Gateway with Stats") {
		t.Error(err)
	}
}
