package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/sample"
	"warmline.dev/nodelayer/gateway"
)

func TestHome(t *testing.T) {
	w := newWorld(t, gateway.Config{})
	p := w.running()
	rec := w.get("/lite@^1/home?profile=paul")
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" || rec.Header().Get("Warmline-Adapter") != "lite@1.0.0" {
		t.Fatalf("got %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	var got page
	check1(t, json.Unmarshal(rec.Body.Bytes(), &got))
	want := page{Profile: "Paul", Films: w.recommended("paul", 5)}
	if got.Profile != want.Profile || !slices.Equal(got.Films, want.Films) {
		t.Errorf("got %q, want %q", got, want)
	}
	// profiles.current has completed the passport, and the adapter handed it back.
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.passportChanges) != 1 || w.passportChanges[0].Customer != "c-1001" || w.passportChanges[0].Profile != "paul" {
		t.Errorf("OnPassport was told %+v, want one of customer c-1001", w.passportChanges)
	}
	p.end()
	for _, said := range []string{"edge " + w.edge, "catalogue 1.4.2", "gateway " + w.line, "has lite 1.0.0"} {
		if !strings.Contains(p.stdout.String(), said) {
			t.Errorf("said %q, without %q", p.stdout.String(), said)
		}
	}
}

// recommended is what the page should list, asked of the sources themselves.
func (w *world) recommended(profile string, limit int) (films []string) {
	w.t.Helper()
	var recs struct{ Items []struct{ ID int } }
	w.source("recommendations", fmt.Sprintf("/recommendations/%s?limit=%d", profile, limit), &recs)
	var ids []string
	for _, item := range recs.Items {
		ids = append(ids, strconv.Itoa(item.ID))
	}
	var found struct {
		Films []struct {
			Title string
			Year  int
		}
	}
	w.source("catalogue", "/films?ids="+strings.Join(ids, ","), &found)
	for _, f := range found.Films {
		films = append(films, fmt.Sprintf("%s (%d)", f.Title, f.Year))
	}
	if len(films) != limit {
		w.t.Fatalf("the sources have %q, want %d films", films, limit)
	}
	return films
}

func (w *world) source(name, path string, into any) {
	w.t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(w.samples.URL(name) + path)
	check1(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	check1(w.t, err)
	check1(w.t, json.Unmarshal(b, into))
}

// Many devices at once, each with its own passport.
func TestManyDevices(t *testing.T) {
	w := newWorld(t, gateway.Config{Budget: waitAtMost})
	p := w.running()
	names := map[string]string{"paul": "Paul", "ada": "Ada", "grace": "Grace", "dennis": "Dennis", "yuki": "Yuki"}
	var wg sync.WaitGroup
	for profile, name := range names {
		for range 10 {
			wg.Go(func() {
				rec := w.get("/lite/home?profile=" + profile)
				if !strings.Contains(rec.Body.String(), fmt.Sprintf(`"profile":%q`, name)) {
					t.Errorf("%s: got %d %s", profile, rec.Code, rec.Body)
				}
			})
		}
	}
	wg.Wait()
	p.end()
}

func TestFailures(t *testing.T) {
	w := newWorld(t, gateway.Config{})
	p := w.running()
	check1(t, w.samples.Stop("catalogue"))
	for _, c := range []struct {
		target string
		status int
		code   string
		tells  string
	}{
		{"/lite/elsewhere", http.StatusNotFound, "not_found", "this adapter has GET /home"},
		{"/lite/home", http.StatusForbidden, "forbidden", "recognised"},           // the edge's word
		{"/lite/home?profile=nobody", http.StatusNotFound, "not_found", "nobody"}, // a source's
		{"/lite/home?profile=paul", http.StatusServiceUnavailable, "unavailable", "catalogue"},
	} {
		rec := w.get(c.target)
		var body struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != c.status ||
			body.Error.Code != c.code || !strings.Contains(body.Error.Message, c.tells) {
			t.Errorf("%s: got %d %s, want %d %s that tells of %s", c.target, rec.Code, rec.Body, c.status, c.code, c.tells)
		}
		if rec.Header().Get("Warmline-Adapter") == "" {
			t.Errorf("%s: it was not the adapter's answer", c.target)
		}
	}
	p.end()
}

// A source that hangs costs the device request its time and nothing more: the
// adapter gives the call up, and can still end cleanly.
func TestTimeIsSpent(t *testing.T) {
	w := newWorld(t, gateway.Config{Budget: 300 * time.Millisecond})
	p := w.running()
	check1(t, w.samples.Set("profiles", sample.Behaviour{Mode: sample.ModeHang}))
	if rec := w.get("/lite/home?profile=paul"); rec.Code != http.StatusGatewayTimeout {
		t.Errorf("got %d %s, want 504", rec.Code, rec.Body)
	}
	check1(t, w.samples.Set("profiles", sample.Behaviour{}))
	if rec := w.get("/lite/home?profile=ada"); rec.Code != http.StatusOK {
		t.Errorf("afterwards: got %d %s", rec.Code, rec.Body)
	}
	p.end()
}

// Interrupted while a device waits: that one gets its page, others are refused.
func TestEndsWithWhatIsUnderWay(t *testing.T) {
	w := newWorld(t, gateway.Config{Budget: waitAtMost})
	p := w.running()
	before := w.samples.Requests("profiles")
	check1(t, w.samples.Set("profiles", sample.Behaviour{Mode: sample.ModeHang}))
	got := make(chan *httptest.ResponseRecorder, 1)
	go func() { got <- w.get("/lite/home?profile=paul") }()
	eventually(t, "the request is under way", func() bool { return w.samples.Requests("profiles") > before })
	p.interrupt()
	eventually(t, "others are refused", func() bool {
		rec := w.get("/lite/elsewhere")
		return rec.Code == http.StatusServiceUnavailable && strings.Contains(rec.Body.String(), "this adapter is ending")
	})
	check1(t, w.samples.Set("profiles", sample.Behaviour{})) // those that hang are answered
	p.end()
	if rec := <-got; rec.Code != http.StatusOK {
		t.Errorf("the device got %d %s, want 200", rec.Code, rec.Body)
	}
}

func TestUnsatisfied(t *testing.T) {
	w := newWorld(t, gateway.Config{})
	p := w.start("-want", "catalogue=^9", "-want", "weather=*")
	if code := p.code(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	said := p.stderr.String()
	for _, part := range []string{"edge " + w.edge, "wants catalogue ^9, offered: 2.1.3, 1.4.2", "wants weather *, nothing of that name is offered"} {
		if !strings.Contains(said, part) {
			t.Errorf("said %q, without %q", said, part)
		}
	}
	if strings.Count(said, "\n") != 1 {
		t.Errorf("said %q, want one line", said)
	}
}

func TestLineIsLost(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(w *world) (line string)
	}{
		{"edge", func(w *world) string { w.closeEdge(); return "edge " + w.edge }},
		{"gateway", func(w *world) string { _ = w.gateway.Close(); return "gateway " + w.line }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, gateway.Config{})
			p := w.running()
			line := c.lose(w)
			if code := p.code(); code != 1 || !strings.HasPrefix(p.stderr.String(), "rsocket-go-adapter: the line to "+line+" was lost") {
				t.Errorf("ended with %d, %q", code, p.stderr.String())
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check1(t, err)
	nobody := "tcp://" + l.Addr().String()
	check1(t, l.Close())
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"-h"}, 0, "-gateway ADDRESS", ""},
		{[]string{"-nonsense"}, 2, "", "-nonsense"},
		{[]string{"extra"}, 2, "", "extra"},
		{[]string{"-want", "catalogue"}, 2, "", "expected SERVICE=RANGE"},
		{[]string{"-edge", "http://localhost"}, 1, "", "expected tcp://HOST:PORT"},
		{[]string{"-edge", nobody}, 1, "", "no line to the edge"},
	} {
		var stdout, stderr buffer
		code := run(t.Context(), c.args, &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: got %d, %q, %q", c.args, code, stdout.String(), stderr.String())
		}
		if c.stderr == "" && stderr.String() != "" {
			t.Errorf("%q: said %q", c.args, stderr.String())
		}
	}
}
