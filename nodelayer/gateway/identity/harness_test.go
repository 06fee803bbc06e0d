package identity_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accounts is an account source that can be made to fail.
type accounts struct {
	mu    sync.Mutex
	of    map[string]passport.Passport
	fails error
	asked []identity.Subject
	hold  chan struct{} // nil: it answers at once
	out   bool          // signed out
}

func (a *accounts) Load(ctx context.Context, s identity.Subject) (passport.Passport, error) {
	a.mu.Lock()
	a.asked = append(a.asked, s)
	p, fails, hold := a.of[s.Customer], a.fails, a.hold
	if a.out {
		fails = protocol.Errorf(protocol.Unauthenticated, "the session has ended")
	}
	a.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return p, ctx.Err()
		}
	}
	if fails != nil {
		return passport.Passport{}, fails
	}
	p.Profile = s.Profile
	return p, nil
}

func (a *accounts) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// questions is how often it was asked since it was last called.
func (a *accounts) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.asked)
	a.asked = nil
	return n
}

var ann = passport.Passport{Customer: "ann", Profile: "grown-up", Plan: "premium", Country: "SE", Level: passport.Authenticated, Preferences: map[string]string{"language": "sv"}}

// site is a gateway whose door is tested, an adapter behind it, and an edge with an
// account service that changes passports.
type site struct {
	t        testing.TB
	accounts *accounts
	door     *identity.Door
	jar      *cookie.Jar                // that devices have their cookies of
	held     atomic.Pointer[cookie.Jar] // the door's
	url      string
	log      *logged.Log
}

var cookieKey = passport.NewKey("c1")

func newJar(t testing.TB, trust time.Duration) *cookie.Jar {
	t.Helper()
	jar, err := cookie.New(cookie.Config{Keys: []passport.Key{cookieKey}, Insecure: true, Trust: trust})
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// alone is a site of which there is the door alone.
func alone(t testing.TB, trust time.Duration, cfg identity.Config) *site {
	t.Helper()
	s := &site{url: "http://gateway.example", t: t, accounts: &accounts{of: map[string]passport.Passport{"ann": ann}}, jar: newJar(t, trust), log: &logged.Log{}}
	cfg.Cookies, cfg.Accounts, cfg.Log = func() *cookie.Jar { return s.held.Load() }, s.accounts, zerolog.New(s.log)
	s.held.Store(s.jar)
	var err error
	if s.door, err = identity.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.door.Close)
	return s
}

func start(t testing.TB, trust time.Duration, cfg identity.Config) *site {
	t.Helper()
	s := alone(t, trust, cfg)
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := edgelayer.New(edgelayer.Config{Keys: keys, Services: []edgelayer.Service{service}})
	if err != nil {
		t.Fatal(err)
	}
	node, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{serving.Start(t, e.Serve, e.Close)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	g, err := gateway.New(gateway.Config{Keys: keys, Mint: s.door.Mint, OnPassport: s.door.OnPassport, Budget: time.Minute, Log: zerolog.New(s.log)})
	if err != nil {
		t.Fatal(err)
	}
	lines := serving.Start(t, g.ServeLines, g.Close)
	a, err := adapter.Serve(await.Context(t), adapter.Config{Name: "tv", Version: "1.0.0", Gateways: []string{lines}, Handler: adapter.JSON(func(r *http.Request) (any, error) {
		if r.URL.Path != "/who" {
			if _, err := nodelayer.Ask[bool](r.Context(), node, "accounts."+r.URL.Path[1:], r.URL.Query().Get("as")); err != nil {
				return nil, err
			}
		}
		return passport.Peek(passport.FromContext(r.Context()).Sealed())
	})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = a.Shutdown(ended)
	})
	front := httptest.NewServer(g)
	t.Cleanup(front.Close)
	s.url = front.URL
	return s
}

// service changes passports as an account service does.
var service = edgelayer.Service{Name: "accounts", Version: "1.0.0", Methods: []edgelayer.Method{
	changing("signIn", func(p *passport.Passport, as string) {
		p.Customer, p.Profile, p.Level = as, "grown-up", passport.Authenticated
	}),
	changing("signInTo", func(p *passport.Passport, session string) {
		p.Customer, p.Level = "ann", passport.Authenticated
		p.SetField("preferences.session", session)
	}),
	changing("signOut", func(p *passport.Passport, _ string) { *p = passport.Passport{} }),
	changing("upgrade", func(p *passport.Passport, as string) { p.Plan = as }),
}}

func changing(name string, f func(p *passport.Passport, as string)) edgelayer.Method {
	return edgelayer.NewMethod(name, func(ctx context.Context, as string) (bool, error) {
		return true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { f(p, as) })
	})
}

// device is a device, which keeps cookies.
type device struct {
	s   *site
	web *http.Client
}

func (s *site) device() *device {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &device{s, &http.Client{Jar: jar, Transport: s.transport()}}
}

func (s *site) transport() http.RoundTripper {
	tr := &http.Transport{}
	s.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// signedIn is a device that has a cookie of Ann's, as change leaves it.
func (s *site) signedIn(change func(c *cookie.Cookie)) *device {
	s.t.Helper()
	d := s.device()
	c := s.jar.Begin(ann, time.Now())
	change(&c)
	value, err := s.jar.Seal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	d.has(value)
	return d
}

func (d *device) has(value string) {
	r := d.request("/")
	d.web.Jar.SetCookies(r.URL, []*http.Cookie{{Name: d.s.jar.Name(), Value: value}})
}

func (d *device) request(path string) *http.Request {
	d.s.t.Helper()
	r, err := http.NewRequestWithContext(await.Context(d.s.t), http.MethodGet, d.s.url+path, nil)
	if err != nil {
		d.s.t.Fatal(err)
	}
	return r
}

// response is what a device is told, and whom it is for.
type response struct {
	status int
	who    passport.Passport
	set    string // Set-Cookie
	text   string
}

func (d *device) do(r *http.Request) response {
	d.s.t.Helper()
	answer, err := d.web.Do(r)
	if err != nil {
		d.s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.s.t.Fatal(err)
	}
	got := response{status: answer.StatusCode, set: answer.Header.Get("Set-Cookie"), text: string(text)}
	if got.status == http.StatusOK {
		if err := json.Unmarshal(text, &got.who); err != nil {
			d.s.t.Fatal(err)
		}
	}
	return got
}

func (d *device) get(path string) response {
	d.s.t.Helper()
	return d.do(d.request(path))
}

// cookie is the one that the device has now.
func (d *device) cookie() (cookie.Cookie, error) {
	r := d.request("/")
	for _, c := range d.web.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	return d.s.jar.Read(r, time.Now())
}

// want is the state of the counts that are not zero, but for those of before.
func (s *site) want(counts map[string]uint64) {
	s.t.Helper()
	got := s.door.Stats()
	for name, n := range got {
		if n != counts[name] {
			s.t.Errorf("%s is counted %d times, want %d", name, n, counts[name])
		}
	}
}

var errDown = protocol.Errorf(protocol.Unavailable, "accounts: down")

var errSignedOut = protocol.Errorf(protocol.Unauthenticated, "accounts: signed out")
