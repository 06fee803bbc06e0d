package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

const (
	aTV    = "WLTV-SAM-2021-Q80-7F3A09C41B2E"
	aPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)

func TestStatsCountLinesAndVersions(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@2.0.0", "tv@2.0.0", "tv@2.1.0-beta", "radio@2.0.0")
	if got := g.Stats(); got.Lines != 4 || got.Adapters != 3 || got.Took.Count != 0 || got.Devices.Rows == 0 {
		t.Errorf("%+v", got)
	}
}

// What is answered is counted once, by kind of device and class of status, whoever has
// answered; the list of adapters is no device request.
func TestStatsCountWhatIsAnswered(t *testing.T) {
	g := start(t, gateway.Config{})
	g.offer("tv@2.0.0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		w.WriteHeader(status)
	}))
	ask := func(esn, agent, path string, want int) {
		t.Helper()
		r := g.request(await.Context(t), "GET", path, nil)
		r.Header["Esn"], r.Header["User-Agent"] = []string{esn}, []string{agent}
		if got := g.must(r).status; got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	ask(aTV, "", "/tv/home?status=200", 200)
	ask(aTV, "", "/tv/home?status=204", 204)
	ask(aTV, "", "/tv/home?status=503", 503)
	ask("", aPhone, "/tv/home?status=304", 304)
	ask("", aPhone, "/radio/home", 404) // by the gateway
	ask("", "", "/tv@oops/home", 400)
	ask("", "", "/", 200) // no device request
	await.Until(t, "the last to be counted", func() bool { return g.Stats().Took.Count == 6 })
	got := g.Stats()
	want := make([]gateway.Requests, len(device.Categories()))
	for i, of := range device.Categories() {
		want[i].Device = of
	}
	want[device.TV].Status = [6]uint64{2: 2, 5: 1}
	want[device.Phone].Status = [6]uint64{3: 1, 4: 1}
	want[device.Other].Status = [6]uint64{4: 1}
	if diff := cmp.Diff(want, got.Requests); diff != "" {
		t.Error(diff)
	}
	if got.Took.Sum <= 0 {
		t.Errorf("%+v", got.Took)
	}
}

// How long a request took falls into the first bucket that it fits into.
func TestStatsTellHowLongAnswersTook(t *testing.T) {
	const pause = 30 * time.Millisecond
	g := start(t, gateway.Config{Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
		time.Sleep(pause)
		return passport.Passport{}, nil
	}}).telling("tv@1.0.0")
	g.must(g.request(await.Context(t), "GET", "/tv/home", nil))
	await.Until(t, "it to be counted", func() bool { return g.Stats().Took.Count == 1 })
	took := g.Stats().Took
	if took.Sum < pause {
		t.Errorf("it took %v at least, and %v are counted", pause, took.Sum)
	}
	for i, bound := range gateway.Bounds() {
		want := uint64(0)
		if took.Sum <= bound {
			want = 1
		}
		if took.Within[i] != want {
			t.Errorf("it took %v: within %v are %d", took.Sum, bound, took.Within[i])
		}
	}
}

// No figure ever goes back, and no bucket has more than there are.
func TestStatsAreReadWhileRequestsAreCounted(t *testing.T) {
	g := start(t, gateway.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/tv/home", nil))
		}
	}()
	for counted := uint64(0); counted < 100; {
		now := g.Stats().Took
		if now.Count < counted || now.Within[len(now.Within)-1] > now.Count {
			t.Fatalf("%d, then %+v", counted, now)
		}
		counted = now.Count
	}
	await.Value(t, "the end", done)
}
