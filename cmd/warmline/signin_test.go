package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

// house is the system with an account source: gateways that give cookies, and hear
// over a real nats-server whose account has changed.
type house struct {
	t       *testing.T
	nats    *proctest.Process
	bus     string // host:port
	sample  *proctest.Process
	urls    map[string]string
	gateway []string // base URLs
	admin   []string // of the gateways
}

func startHouse(t *testing.T, gateways int, gatewayArgs ...string) *house {
	t.Helper()
	h := &house{t: t, urls: map[string]string{}}
	h.nats, h.bus = proctest.NATS(t, "-1")
	keys := keyFile(t)
	h.sample = start(t, "sample", "--base-port", strconv.Itoa(freePorts(t, len(sampleNames))), "--bus", "nats://"+h.bus)
	args := []string{"edge", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keys}
	for _, name := range sampleNames {
		h.urls[name] = h.sample.Expect(`^` + name + ` at (\S+)$`)[0]
		args = append(args, "--source", name+"="+h.urls[name])
	}
	edge := start(t, args...).Expect(`^edge at (\S+)$`)[0]
	publisher := start(t, "revocation", "--bus", "nats://"+h.bus, "--revocation-keys", keys, "--file", t.TempDir()+"/revoked")
	publisher.Expect("^telling gateways")
	node := []string{"node", "--edge", edge}
	for range gateways {
		g := start(t, append([]string{
			"gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keys,
			"--accounts", h.urls["accounts"], "--insecure-cookies", "--bus", "nats://" + h.bus,
		}, gatewayArgs...)...)
		at := g.Expect(`^gateway at (\S+), lines at (\S+)$`)
		h.gateway = append(h.gateway, at[0])
		h.admin = append(h.admin, g.Expect(`^admin at (\S+)$`)[0])
		node = append(node, "--gateway", at[1])
	}
	start(t, node...).Expect(`^adapter tv@2.0.0 is offered`)
	// A gateway that has heard nothing yet asks about everyone. That is over when it
	// doesn't.
	d := h.signIn("yuki")
	for i := range h.gateway {
		await.Until(t, "the gateway to hear of accounts", func() bool {
			before := h.asked()
			d.get(i, "/tv/me")
			time.Sleep(20 * time.Millisecond)
			return h.asked()["accounts"] == before["accounts"]
		})
	}
	return h
}

// asked is how often each service was.
func (h *house) asked() map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for name, url := range h.urls {
		counts[name] = requests(h.t, url)
	}
	return counts
}

// device has one cookie, which it shows to all gateways.
type device struct {
	h      *house
	cookie string
}

// person is what /tv/me says.
type person struct{ Level, Customer, Profile, Plan string }

func (d *device) do(method string, gateway int, path, body string) (int, string) {
	t := d.h.t
	t.Helper()
	r, err := http.NewRequestWithContext(await.Context(t), method, d.h.gateway[gateway]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if d.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "warmline", Value: d.cookie})
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		d.cookie = c.Value // empty: it was cleared
	}
	return answer.StatusCode, string(text)
}

func (d *device) get(gateway int, path string) (int, person) {
	d.h.t.Helper()
	status, text := d.do(http.MethodGet, gateway, path, "")
	var p person
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			d.h.t.Fatal(err)
		}
	}
	return status, p
}

func (h *house) signIn(who string) *device {
	h.t.Helper()
	d := &device{h: h}
	if status, text := d.do(http.MethodPost, 0, "/tv/sign-in", `{"email":"`+who+`@example.com","password":"popcorn"}`); status != http.StatusOK || d.cookie == "" {
		h.t.Fatalf("%d %s", status, text)
	}
	return d
}

// From the cookie on nobody is asked who that is: not in a page with its four services,
// and not at another gateway.
func TestACookieSavesTheQuestions(t *testing.T) {
	h := startHouse(t, 2)
	if status, _ := (&device{h: h}).do(http.MethodPost, 0, "/tv/sign-in", `{"email":"paul@example.com","password":"guess"}`); status != http.StatusUnauthorized {
		t.Errorf("with a wrong password: %d", status)
	}
	d := h.signIn("paul")
	before := h.asked()
	for i := range h.gateway {
		if status, p := d.get(i, "/tv/me"); status != 200 || p != (person{"authenticated", "c-1001", "paul", "four-stream"}) {
			t.Errorf("gateway %d: %d %+v", i, status, p)
		}
		if status, text := d.do(http.MethodGet, i, "/tv/home", ""); status != 200 || !strings.Contains(text, `"plan":"four-stream"`) || !strings.Contains(text, "Metropolis") {
			t.Errorf("gateway %d: %d %s", i, status, text)
		}
	}
	after := h.asked()
	for _, name := range []string{"accounts", "members"} {
		if n := after[name] - before[name]; n != 0 {
			t.Errorf("%s was asked %d times", name, n)
		}
	}
	// A forged one is refused and cleared; then the device is nobody.
	forged := &device{h: h, cookie: d.cookie[:len(d.cookie)-4] + "AAAA"}
	if status, _ := forged.get(0, "/tv/me"); status != http.StatusUnauthorized || forged.cookie != "" {
		t.Errorf("forged: %d, %q", status, forged.cookie)
	}
	if status, p := forged.get(0, "/tv/me"); status != 200 || p.Level != "anonymous" {
		t.Errorf("then: %d %+v", status, p)
	}
	// What a service changes is in the cookie.
	if status, text := d.do(http.MethodPost, 0, "/tv/plan", `{"plan":"two-stream"}`); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	for i := range h.gateway {
		if _, p := d.get(i, "/tv/me"); p.Plan != "two-stream" {
			t.Errorf("gateway %d: %+v", i, p)
		}
	}
}

// Past a cookie's trust one device request, through gateway, adapter and four
// services, asks the account and membership sources once.
func TestPastItsTrustACookieCostsOneQuestion(t *testing.T) {
	h := startHouseUntrusting(t)
	d := h.signIn("paul")
	before := h.asked()
	if status, text := d.do(http.MethodGet, 0, "/tv/home", ""); status != 200 || !strings.Contains(text, `"plan":"four-stream"`) {
		t.Fatalf("%d %s", status, text)
	}
	after := h.asked()
	if n := after["accounts"] - before["accounts"] + after["members"] - before["members"]; n != 1 {
		t.Errorf("the account and membership sources were asked %d times", n)
	}
	// The account source is down: the cookie is honoured, as one that nothing proves.
	control(t, h.urls["accounts"], `{"mode":"fail"}`)
	d = &device{h: h, cookie: d.cookie}
	await.Until(t, "the cookie to be honoured only", func() bool {
		status, p := d.get(0, "/tv/me")
		if status != 200 || p.Customer != "c-1001" {
			t.Fatalf("%d %+v", status, p)
		}
		return p.Level == "recognised"
	})
	if status, _ := d.do(http.MethodGet, 0, "/tv/home", ""); status != 200 {
		t.Errorf("the page: %d", status)
	}
	control(t, h.urls["accounts"], `{"mode":"ok"}`)
	await.Until(t, "it to be renewed", func() bool {
		_, p := d.get(0, "/tv/me")
		return p.Level == "authenticated"
	})
}

// startHouseUntrusting has gateways that trust no cookie without a question.
func startHouseUntrusting(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, urls: map[string]string{}}
	keys := keyFile(t)
	h.sample = start(t, "sample", "--base-port", strconv.Itoa(freePorts(t, len(sampleNames))))
	args := []string{"edge", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keys}
	for _, name := range sampleNames {
		h.urls[name] = h.sample.Expect(`^` + name + ` at (\S+)$`)[0]
		args = append(args, "--source", name+"="+h.urls[name])
	}
	edge := start(t, args...).Expect(`^edge at (\S+)$`)[0]
	g := start(t, "gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", keys,
		"--accounts", h.urls["accounts"], "--insecure-cookies", "--cookie-trust", "-1s")
	at := g.Expect(`^gateway at (\S+), lines at (\S+)$`)
	h.gateway = []string{at[0]}
	start(t, "node", "--edge", edge, "--gateway", at[1]).Expect(`^adapter tv@2.0.0 is offered`)
	return h
}

// Signed out everywhere: every gateway refuses within two seconds, also one that was
// cut off from the bus meanwhile, when it is back.
func TestSignedOutEverywhere(t *testing.T) {
	h := startHouse(t, 3)
	refused := func(d *device, within time.Duration) {
		t.Helper()
		began := time.Now()
		for i := range h.gateway {
			await.Until(t, "gateway "+strconv.Itoa(i)+" to refuse", func() bool {
				shown := &device{h: h, cookie: d.cookie}
				status, p := shown.get(i, "/tv/me")
				if status == http.StatusOK && p.Customer != "c-1001" {
					t.Fatalf("%+v", p)
				}
				return status == http.StatusUnauthorized
			})
		}
		if took := time.Since(began); took > within {
			t.Errorf("it took %v, want %v at most", took, within)
		}
	}
	signOut := func() {
		t.Helper()
		answer, err := http.Post(h.urls["accounts"]+"/sign-out-all", "application/json", strings.NewReader(`{"customer":"c-1001"}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	d, other := h.signIn("paul"), h.signIn("grace")
	for i := range h.gateway {
		if status, p := d.get(i, "/tv/me"); status != 200 || p.Profile != "paul" {
			t.Fatalf("%d %+v", status, p)
		}
	}
	signOut()
	refused(d, 2*time.Second)
	if status, p := other.get(1, "/tv/me"); status != 200 || p.Profile != "grace" {
		t.Errorf("somebody else: %d %+v", status, p)
	}

	// Without the bus nobody hears of it, and the last that is known is gone by; when
	// the bus is back they hear.
	time.Sleep(7 * time.Second) // a cookie that is issued within the clocks' margin of the signing out is asked about
	d = h.signIn("paul")
	if err := h.nats.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-h.nats.Ended
	signOut()
	for i := range h.gateway {
		if status, p := d.get(i, "/tv/me"); status != 200 || p.Profile != "paul" {
			t.Errorf("gateway %d, without the bus: %d %+v", i, status, p)
		}
	}
	_, port, _ := strings.Cut(h.bus, ":")
	h.nats, _ = proctest.NATS(t, port)
	refused(d, 10*time.Second) // with the time in which all connect again
	if d := h.signIn("paul"); d.cookie == "" {
		t.Error("nobody can sign in again")
	}
}
