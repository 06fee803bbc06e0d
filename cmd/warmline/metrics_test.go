package main

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

// figure is what an admin port says of one, 0 if nothing.
func figure(t *testing.T, admin, name string) float64 {
	t.Helper()
	_, text := get(t, admin+"/metrics")
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func isReady(t *testing.T, admin string) bool {
	t.Helper()
	status, _ := get(t, admin+"/readyz")
	return status == http.StatusOK
}

// What gateways have done is on their admin ports.
func TestGatewayTellsWhatItDoes(t *testing.T) {
	h := startHouse(t, 1)
	admin := h.admin[0]
	await.Until(t, "the gateway to be ready", func() bool { return isReady(t, admin) })
	d := h.signIn("paul")
	before := map[string]float64{}
	want := map[string]float64{
		`warmline_gateway_requests_total{device="other",status="2xx"}`: 2,
		`warmline_gateway_requests_total{device="other",status="4xx"}`: 1,
		"warmline_gateway_request_seconds_count":                       3,
		`warmline_identity_requests_total{outcome="trusted"}`:          2,
	}
	for name := range want {
		before[name] = figure(t, admin, name)
	}
	for path, want := range map[string]int{"/tv/me": 200, "/tv/home": 200, "/radio/home": 404} {
		if status, text := d.do("GET", 0, path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for name, more := range want {
		await.Until(t, name, func() bool { return figure(t, admin, name) == before[name]+more })
	}
	for _, name := range []string{"warmline_bus_connected", "warmline_revocation_complete", "warmline_gateway_adapters", "warmline_devices_rows", "warmline_devices_age_seconds", `warmline_source_requests_total{source="accounts"}`} {
		if figure(t, admin, name) == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	if figure(t, admin, "warmline_revocation_stale") != 0 {
		t.Error("it goes by no set")
	}
}

// A gateway with a bus takes no devices yet when nobody has told it whose account has
// changed.
func TestGatewayIsReadyWhenItHasHeard(t *testing.T) {
	_, bus := proctest.NATS(t, "-1")
	keys := keyFile(t)
	g := start(t, "gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keys,
		"--accounts", "http://127.0.0.1:1", "--bus", "nats://"+bus)
	admin := g.Expect(`^admin at (http://127\.0\.0\.1:\d+)$`)[0]
	if status, why := get(t, admin+"/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(why, "waiting to hear on the bus") {
		t.Errorf("%d %s", status, why)
	}
	start(t, "revocation", "--bus", "nats://"+bus, "--revocation-keys", keys).Expect("^telling gateways")
	await.Until(t, "it to be ready", func() bool { return isReady(t, admin) })
	if figure(t, admin, "warmline_revocation_complete") != 1 {
		t.Error("it is ready, and has not heard everything")
	}
	g.Interrupt()
	g.Exit(0)
}

func TestGatewaysAdminPortOfDev(t *testing.T) {
	dev := start(t, "dev", "--http", "127.0.0.1:0", "--lines", "tls://127.0.0.1:0", "--edge", "tls://127.0.0.1:0")
	web := dev.Expect(`^gateway at (\S+), lines`)[0]
	ofEdge := dev.Expect(`^admin at (\S+)$`)[0]
	ofGateway := dev.Expect(`^gateway's admin at (\S+)$`)[0]
	await.Until(t, "both to be ready", func() bool { return isReady(t, ofEdge) && isReady(t, ofGateway) })
	getPage(t, web+"/tv@^1/home?profile=paul")
	await.Until(t, "it to be counted", func() bool {
		return figure(t, ofGateway, `warmline_gateway_requests_total{device="other",status="2xx"}`) == 1 && figure(t, ofEdge, "warmline_edge_calls_total") > 0
	})
	if figure(t, ofGateway, "warmline_revocation_complete") != 1 || figure(t, ofGateway, `warmline_identity_requests_total{outcome="anonymous"}`) != 1 {
		t.Error("the gateway of dev has a bus and a door")
	}
}

func TestGatewayWithoutAdminPort(t *testing.T) {
	dev := start(t, "dev", "--http", "127.0.0.1:0", "--lines", "tcp://127.0.0.1:0", "--edge", "tcp://127.0.0.1:0", "--admin", "off", "--gateway-admin", "off")
	dev.Expect("^Ctrl-C ends it")
	if out := dev.Out.String(); strings.Contains(out, "admin at") {
		t.Error(out)
	}
	_, errs, code := run(t, "gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keyFile(t), "--admin", "https://127.0.0.1:0")
	if code != 2 || !strings.Contains(errs, "give --tls-cert and --tls-key") {
		t.Errorf("%d %s", code, errs)
	}
}
