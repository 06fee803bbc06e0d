package tv_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/farlink"
	"warmline.dev/internal/sample"
	"warmline.dev/internal/sample/declared"
	"warmline.dev/internal/sample/service"
	"warmline.dev/internal/sample/tv"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol/rsocket/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home is everything between a device and the sample services, and a link of
// some length between adapter and edge.
type home struct {
	samples *sample.Services
	node    *nodelayer.Edge
	link    *farlink.Link
	web     string
	client  *http.Client
}

func start(t *testing.T, oneWay time.Duration) *home {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h := &home{client: &http.Client{Transport: &http.Transport{}}}
	var err error
	h.samples, err = sample.Start(sample.Config{Latency: -1})
	must(err)
	t.Cleanup(func() { _ = h.samples.Shutdown(ended()) })
	tier, err := declared.New(h.samples, "off")
	must(err)
	t.Cleanup(tier.Close)
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	must(err)

	edge, err := edgelayer.New(edgelayer.Config{Services: tier.Services(), Keys: keys})
	must(err)
	at := serving.Start(t, edge.Serve, edge.Close)
	h.link = farlink.New(t, strings.TrimPrefix(at, "tcp://"), oneWay)
	node, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{h.link.Addr}})
	must(err)
	t.Cleanup(func() { _ = node.Close() })
	h.node = node

	front, err := gateway.New(gateway.Config{Keys: keys, Budget: time.Minute, Mint: func(_ http.ResponseWriter, r *http.Request) (passport.Passport, error) {
		return passport.Passport{Profile: r.URL.Query().Get("profile"), Level: passport.Recognised}, nil
	}})
	must(err)
	lines := serving.Start(t, front.ServeLines, front.Close)
	v := tv.Versions()[1]
	served, err := adapter.Serve(await.Context(t), adapter.Config{Name: tv.App, Version: v.Version, Handler: v.Handler(node), Gateways: []string{lines}})
	must(err)
	t.Cleanup(func() { _ = served.Shutdown(ended()) })
	web := httptest.NewServer(front)
	t.Cleanup(web.Close)
	t.Cleanup(h.client.CloseIdleConnections)
	h.web = web.URL
	return h
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func (h *home) get(ctx context.Context, t *testing.T) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.web+"/tv/home?profile=paul&limit=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// Profile, plan, recommendations, and the titles and ratings of what is
// recommended: five calls, the last two of which need the answer of another.
func TestThePageTakesOneRoundTripToTheEdge(t *testing.T) {
	h := start(t, 20*time.Millisecond)
	h.link.Frames()
	begun := time.Now()
	page, err := h.get(t.Context(), t)
	if err != nil || !strings.Contains(page, `"title":"Metropolis"`) || !strings.Contains(page, `"rating":"THUMBS_UP"`) || strings.Contains(page, "degraded") {
		t.Fatalf("%s, %v", page, err)
	}
	t.Logf("the page took %v where one way to the edge takes 20 ms", time.Since(begun))
	requests := 0
	for _, f := range h.link.Frames() {
		switch {
		case f.Up && f.Type == frame.TypeRequestChannel:
			requests++
		case f.Up && f.Type == frame.TypePayload && f.Item:
			t.Error("a follow-up crossed the link")
		}
	}
	if requests != 1 {
		t.Errorf("%d conversations, want 1", requests)
	}
}

// Of titles that could not be read some are there already.
func TestWhatIsThereIsShownAndWhatFailedIsNamed(t *testing.T) {
	h := start(t, 0)
	page := func(limit string) string {
		t.Helper()
		resp, err := h.client.Get(h.web + "/tv/home?profile=paul&limit=" + limit)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := page("1"); !strings.Contains(got, `"title":"Metropolis"`) || strings.Contains(got, "degraded") {
		t.Fatal(got)
	}
	if err := h.samples.Set("catalogue", sample.Behaviour{Mode: sample.ModeFail}); err != nil {
		t.Fatal(err)
	}
	if got := page("3"); !strings.Contains(got, `"title":"Metropolis"`) || strings.Count(got, `"title":`) != 2 || !strings.Contains(got, `"degraded":["titles"]`) {
		t.Error(got) // the row has a title too
	}
}

// A preference that is too large for a passport comes from the edge's cache.
func TestReferencesAreResolvedByTheEdge(t *testing.T) {
	h := start(t, 0)
	resp, err := h.client.Get(h.samples.URL("accounts") + "/accounts/c-1001")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var account struct{ References map[string]string }
	if err := json.NewDecoder(resp.Body).Decode(&account); err != nil {
		t.Fatal(err)
	}
	of := service.ObjectOf{SHA256: account.References["layout"]}
	before := h.samples.Requests("accounts")
	for range 3 {
		c := h.node.Converse(await.Context(t))
		object, err := nodelayer.Call[service.Object](await.Context(t), c, "accounts.object", of)
		c.Close()
		if sum := sha256.Sum256([]byte(object.Value)); err != nil || hex.EncodeToString(sum[:]) != of.SHA256 {
			t.Errorf("%d bytes, %v", len(object.Value), err)
		}
	}
	if n := h.samples.Requests("accounts") - before; n != 1 {
		t.Errorf("accounts was asked %d times, want once", n)
	}
}

func TestADeviceThatHangsUpCancelsDownToTheMidTier(t *testing.T) {
	h := start(t, 0)
	for _, name := range []string{"profiles", "recommendations"} {
		if err := h.samples.Set(name, sample.Behaviour{Mode: sample.ModeHang}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.get(ctx, t)
		done <- err
	}()
	await.Until(t, "both mid-tier requests", func() bool {
		return h.samples.Requests("profiles") == 1 && h.samples.Requests("recommendations") == 1
	})
	if n := h.samples.GivenUp("profiles"); n != 0 {
		t.Errorf("%d requests were given up before the device was", n)
	}
	cancel()
	if err := await.Value(t, "the device", done); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await.Until(t, "the mid-tier to see both given up", func() bool {
		return h.samples.GivenUp("profiles") == 1 && h.samples.GivenUp("recommendations") == 1
	})
	if n := h.samples.Requests("catalogue"); n != 0 {
		t.Errorf("%d requests were made for what depends on them", n)
	}
}
