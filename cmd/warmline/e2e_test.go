package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

var sampleNames = []string{"profiles", "members", "recommendations", "catalogue", "ratings", "accounts"}

// system is the four processes.
type system struct {
	sample, edge, node, gateway *proctest.Process
	basePort                    int
	urls                        map[string]string // of the sample services
	edgeAt                      string
	web                         string // base URL for devices
	keys                        string // file
}

func startSystem(t *testing.T) *system {
	t.Helper()
	return startSystemWith(t)
}

// startSystemWith starts it with more arguments for the edge.
func startSystemWith(t *testing.T, edgeArgs ...string) *system {
	t.Helper()
	s := &system{basePort: freePorts(t, len(sampleNames)), urls: map[string]string{}}
	s.keys = filepath.Join(t.TempDir(), "warmline.keys")
	key, _, code := run(t, "key")
	if code != 0 {
		t.Fatal("warmline key failed")
	}
	if err := os.WriteFile(s.keys, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	s.startSample(t)
	args := append([]string{"edge", "--listen", "tcp://127.0.0.1:0", "--passport-keys", s.keys}, edgeArgs...)
	for name, url := range s.urls {
		args = append(args, "--source", name+"="+url)
	}
	s.edge = start(t, args...)
	s.edgeAt = s.edge.Expect(`^edge at (\S+)$`)[0]
	s.gateway = start(t, "gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", s.keys)
	at := s.gateway.Expect(`^gateway at (\S+), lines at (\S+)$`)
	s.web = at[0]
	s.node = start(t, "node", "--edge", s.edgeAt, "--gateway", at[1])
	s.node.Expect(`^adapter tv@2.0.0 is offered`)
	return s
}

func (s *system) startSample(t *testing.T) {
	t.Helper()
	s.sample = start(t, "sample", "--base-port", strconv.Itoa(s.basePort))
	for _, name := range sampleNames {
		s.urls[name] = s.sample.Expect(`^` + name + ` at (\S+)$`)[0]
	}
}

func (s *system) counts(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for name, url := range s.urls {
		counts[name] = requests(t, url)
	}
	return counts
}

func TestFourProcessesGiveThePageOfDev(t *testing.T) {
	s := startSystem(t)
	dev := start(t, "dev", "--http", "127.0.0.1:0", "--lines", "tcp://127.0.0.1:0", "--edge", "tcp://127.0.0.1:0")
	devWeb := dev.Expect(`^gateway at (\S+), lines`)[0]

	p := getPage(t, s.web+"/tv@^1/home?profile=paul")
	if p.UserProfile != "Paul" || p.Plan != "four-stream" || len(p.Rows) != 1 || p.Degraded != nil {
		t.Fatalf("the page: %+v", p)
	}
	row := p.Rows[0]
	if first := row.Videos[0]; row.Name != "Recommended for Paul" || first.ID != 17 || first.Title != "Metropolis" || first.Year != 1927 || first.Rating != "THUMBS_UP" {
		t.Errorf("the row: %+v", row)
	}
	for _, path := range []string{"/tv@^1/home?profile=paul", "/tv@^2/home?profile=paul", "/tv/home?profile=grace&limit=3"} {
		_, four := get(t, s.web+path)
		_, one := get(t, devWeb+path)
		if four != one {
			t.Errorf("%s\nfour processes: %s\ndev:            %s", path, four, one)
		}
	}
	_, v1 := get(t, s.web+"/tv@1.3.0/home?profile=paul")
	_, v2 := get(t, s.web+"/tv@2/home?profile=paul")
	if v1 == v2 || !strings.Contains(v2, `"released":1927`) {
		t.Errorf("the two versions answer alike:\n%s\n%s", v1, v2)
	}

	// Who is asked to stop stops, whoever it talks to.
	for _, p := range []*proctest.Process{s.edge, s.gateway, s.node, s.sample, dev} {
		p.Interrupt()
	}
	for _, p := range []*proctest.Process{s.edge, s.gateway, s.node, s.sample, dev} {
		p.Exit(0)
	}
}

func TestSecondPageAsksTheMidTierNothing(t *testing.T) {
	s := startSystem(t)
	first := getPage(t, s.web+"/tv@^1/home?profile=paul")
	before := s.counts(t)
	for _, name := range sampleNames {
		want := 1
		if name == "accounts" { // the page has nothing of it
			want = 0
		}
		if before[name] != want {
			t.Errorf("the first page asked %s %d times, want %d", name, before[name], want)
		}
	}
	second := getPage(t, s.web+"/tv@^1/home?profile=paul")
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the second page differs:\n%v\n%v", first, second)
	}
	get(t, s.web+"/tv@^2/home?profile=paul") // the other version, from the same caches
	for name, n := range s.counts(t) {
		if n != before[name] {
			t.Errorf("%s was asked %d more times", name, n-before[name])
		}
	}
	// Another profile of the same household has its own profile and ratings, and
	// the plan is known already.
	getPage(t, s.web+"/tv@^1/home?profile=ada")
	if n := s.counts(t)["members"]; n != before["members"] {
		t.Errorf("members was asked again for the same customer")
	}
}

func TestSamplesKilledAndBroughtBack(t *testing.T) {
	s := startSystem(t)
	whole := getPage(t, s.web+"/tv@^1/home?profile=paul")

	if err := s.sample.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.sample.Ended
	if again := getPage(t, s.web+"/tv@^1/home?profile=paul"); fmt.Sprint(again) != fmt.Sprint(whole) {
		t.Errorf("what is warm is served while the mid-tier is dead: %+v", again)
	}
	for range 5 { // enough failures to open the breakers
		p := getPage(t, s.web+"/tv@^1/home?profile=grace")
		if want := []string{"plan", "profile", "recommendations"}; !slices.Equal(p.Degraded, want) {
			t.Errorf("degraded: %v, want %v", p.Degraded, want)
		}
	}
	if stats, _, _ := run(t, "call", "edge.stats", "--edge", s.edgeAt, "--compact"); !strings.Contains(stats, `"breaker":"open"`) {
		t.Errorf("no breaker is open: %s", stats)
	}

	s.startSample(t)
	await.Until(t, "the page is whole again", func() bool {
		return getPage(t, s.web+"/tv@^1/home?profile=grace").Degraded == nil
	})
	if stats, _, _ := run(t, "call", "edge.stats", "--edge", s.edgeAt, "--compact"); strings.Contains(stats, `"breaker":"open"`) {
		t.Errorf("a breaker is still open: %s", stats)
	}
}

func TestHungAndFailingServicesDegradeThePage(t *testing.T) {
	s := startSystem(t)
	// A profile each, so that nothing of the part is warm.
	for _, tt := range []struct{ mode, part, service, profile string }{
		{"hang", "titles", "catalogue", "paul"},
		{"fail", "ratings", "ratings", "ada"},
		{"hang", "ratings", "ratings", "grace"},
		{"fail", "recommendations", "recommendations", "yuki"},
	} {
		url := s.web + "/tv@^1/home?profile=" + tt.profile
		control(t, s.urls[tt.service], `{"mode":"`+tt.mode+`"}`)
		p := getPage(t, url)
		if want := []string{tt.part}; !slices.Equal(p.Degraded, want) {
			t.Errorf("%s of %s: degraded %v, want %v", tt.mode, tt.service, p.Degraded, want)
		}
		if p.UserProfile == "" || p.Plan == "" || tt.part != "recommendations" && len(p.Rows) != 1 {
			t.Errorf("%s of %s: the rest of the page is there: %+v", tt.mode, tt.service, p)
		}
		control(t, s.urls[tt.service], `{"mode":"ok"}`)
		await.Until(t, tt.service+" is back", func() bool { return getPage(t, url).Degraded == nil })
	}
}

func TestBadDeviceRequestsAreToldWhatWasExpected(t *testing.T) {
	s := startSystem(t)
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/tvx/home?profile=paul":             {404, `"adapters":{"tv":["2.0.0","1.3.0"]}`},
		"/tv@^9/home?profile=paul":           {404, `no version of \"tv\" is in ^9`},
		"/tv@banana/home?profile=paul":       {400, `\"banana\" is not a version range`},
		"/tv@^1/nope?profile=paul":           {404, "this adapter has GET /home"},
		"/tv@^1/home":                        {401, "say so with ?profile=paul"},
		"/tv@^1/home?profile=nobody":         {404, `no profile \"nobody\"`},
		"/tv@^1/home?profile=paul&limit=all": {400, "expected a number from 1 to 100"},
	} {
		if status, body := get(t, s.web+path); status != want.status || !strings.Contains(body, want.body) {
			t.Errorf("%s: %d %s; want %d and %s", path, status, body, want.status, want.body)
		}
	}
}

func TestWritesAreSeenAndChangeThePassport(t *testing.T) {
	s := startSystem(t)
	getPage(t, s.web+"/tv@^1/home?profile=paul")
	post := func(path, body, want string) {
		t.Helper()
		resp, err := http.Post(s.web+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Status != want {
			t.Errorf("POST %s: %s, want %s", path, resp.Status, want)
		}
	}
	post("/tv@^1/ratings/71?profile=paul", `{"rating":"THUMBS_DOWN"}`, "200 OK")
	post("/tv@^1/plan?profile=paul", `{"plan":"two-stream"}`, "200 OK")
	p := getPage(t, s.web+"/tv@^1/home?profile=paul")
	if p.Plan != "two-stream" {
		t.Errorf("the plan is %s", p.Plan)
	}
	for _, v := range p.Rows[0].Videos {
		if v.ID == 71 && v.Rating != "THUMBS_DOWN" {
			t.Errorf("the rating is %q", v.Rating)
		}
	}
	if !strings.Contains(s.gateway.Errors.String(), `{"by":"members@1.2.0","fields":["plan"]}`) {
		t.Error("the gateway did not hear of the changed passport")
	}
	post("/tv@^1/plan?profile=paul", `{"plan":"no-such-plan"}`, "400 Bad Request")
	post("/tv@^1/plan?profile=paul", `{`, "400 Bad Request")
	post("/tv@^1/ratings/x?profile=paul", `{}`, "400 Bad Request")
}

func TestGarbageOnTheLinePortsDisturbsNobody(t *testing.T) {
	s := startSystem(t)
	for range 20 {
		nc, err := net.Dial("tcp", strings.TrimPrefix(s.edgeAt, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write([]byte("GET / HTTP/1.1\r\nHost: edge\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	if p := getPage(t, s.web+"/tv@^1/home?profile=paul"); p.Degraded != nil {
		t.Errorf("degraded: %v", p.Degraded)
	}
}
