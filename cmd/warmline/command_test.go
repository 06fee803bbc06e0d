package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/sample/declared"
)

func TestCallPrintsJSON(t *testing.T) {
	s := startSystem(t)
	out, errs, code := run(t, "call", "catalogue.videos", `{"ids":[17]}`, "--edge", s.edgeAt, "--compact")
	if want := `"title":"Metropolis"`; code != 0 || errs != "" || !strings.Contains(out, want) || !strings.Contains(out, `"released":1927`) {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	out, _, _ = run(t, "call", "catalogue.videos", `{"ids":[17]}`, "--edge", s.edgeAt, "--compact", "--want", "catalogue=^1")
	if want := `{"videos":[{"id":17,"title":"Metropolis","year":1927}]}` + "\n"; out != want {
		t.Errorf("catalogue ^1: %s", out)
	}
	out, errs, code = run(t, "call", "recommendations.forProfile", `{"limit":1}`, "--edge", s.edgeAt, "--profile", "paul", "--passport-keys", s.keys)
	if code != 0 || !strings.Contains(out, `"id": 17`) {
		t.Errorf("with a passport: exit %d, %q, %q", code, out, errs)
	}
	out, errs, code = run(
		t, "call", "recommendations.forProfile", `{"limit":1}`, "catalogue.videos", `{"ids":{"$ref":[1,"items",null,"id"]}}`,
		"catalogue.videos", `{"ids":{"$ref":[1,"itmes"]}}`, "--edge", s.edgeAt, "--profile", "paul", "--passport-keys", s.keys,
	)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(lines)
	if len(lines) != 3 || code != 1 || !strings.Contains(errs, "1 of 3 calls failed") ||
		!strings.HasPrefix(lines[1], `{"call":2,"method":"catalogue.videos","result":{"videos":[{"country":"Germany"`) ||
		lines[2] != `{"call":3,"method":"catalogue.videos","error":{"code":"unresolved","message":"call 1: itmes: no such key","retry":false}}` {
		t.Errorf("several calls: exit %d, %q, %q", code, lines, errs)
	}
	out, _, _ = run(t, "call", "edge.stats", "--edge", s.edgeAt)
	var stats struct {
		Lines    int
		Services map[string][]string
		Caches   map[string]struct{ Hits int }
		Sources  map[string]struct{ Breaker string }
	}
	if err := json.Unmarshal([]byte(out), &stats); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if stats.Lines < 3 || len(stats.Services["catalogue"]) != 2 || stats.Sources["ratings"].Breaker != "closed" || len(stats.Caches) != 6 {
		t.Errorf("edge.stats: %+v", stats)
	}
}

func TestCallSaysWhatIsWrong(t *testing.T) {
	s := startSystem(t)
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no passport":     {[]string{"ratings.forVideos", `{"ids":[1]}`}, 1, "unauthenticated: passport: missing"},
		"unknown method":  {[]string{"catalogue.films"}, 1, `unknown_method: "catalogue.films": catalogue 2.1.3 has videos`},
		"unknown service": {[]string{"films.all"}, 1, "this line has accounts, catalogue, edge, members, profiles, ratings, recommendations"},
		"wrong shape":     {[]string{"catalogue.videos", `{"ids":"all"}`}, 1, `expected {"ids":[integer]}`},
		"unknown field":   {[]string{"catalogue.videos", `{"id":[1]}`}, 1, `expected {"ids":[integer]}`},
		"no JSON":         {[]string{"catalogue.videos", `ids=1`}, 2, "nor a JSON object"},
		"bad want":        {[]string{"catalogue.videos", "--want", "catalogue=^9"}, 1, "wants catalogue ^9, offered: 2.1.3, 1.4.2"},
		"broken JSON":     {[]string{"catalogue.videos", `{"ids":`}, 2, "not a JSON object"},
		"two arguments":   {[]string{"catalogue.videos", `{}`, `{}`}, 2, "at most one JSON object behind each"},
		"no such call":    {[]string{"catalogue.videos", `{"ids":{"$ref":[2]}}`, "edge.stats"}, 2, "expected the number of a call before it"},
		"nothing":         {nil, 2, "call takes SERVICE.METHOD"},
		"bad address":     {[]string{"edge.stats", "--edge", "127.0.0.1:1"}, 1, "expected tcp://HOST:PORT"},
	} {
		args := append([]string{"call"}, tt.args...)
		if name != "bad address" {
			args = append(args, "--edge", s.edgeAt)
		}
		out, errs, code := run(t, args...)
		if code != tt.code || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%s: exit %d, %q, %q; want exit %d and one line with %q", name, code, out, errs, tt.code, tt.want)
		}
	}
}

func TestNodeWhoseWantNothingSatisfies(t *testing.T) {
	s := startSystem(t)
	_, errs, code := run(t, "node", "--edge", s.edgeAt, "--want", "catalogue=^9", "--want", "reviews=^1")
	want := "warmline: adapter tv 1.3.0: nodelayer: edge " + s.edgeAt + " refused the line (REJECTED_SETUP): wants catalogue ^9, offered: 2.1.3, 1.4.2; wants reviews ^1, nothing of that name is offered\n"
	if code != 1 || errs != want {
		t.Errorf("exit %d\n got %s\nwant %s", code, errs, want)
	}
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"unknown command": {[]string{"deev"}, 2, `unknown command "deev"`},
		"unknown flag":    {[]string{"dev", "--port", "1"}, 2, "unknown flag: --port; see warmline dev --help"},
		"no keys":         {[]string{"edge"}, 2, "warmline key > warmline.keys"},
		"missing file":    {[]string{"gateway", "--passport-keys", "no-such.keys"}, 1, "no-such.keys"},
		"bad level":       {[]string{"dev", "--log-level", "loud"}, 2, "expected debug, info, warn, error or off"},
		"bad duration":    {[]string{"dev", "--latency", "soon"}, 2, "--latency"},
		"port taken":      {[]string{"dev", "--http", taken.Addr().String(), "--lines", "tcp://127.0.0.1:0", "--edge", "tcp://127.0.0.1:0"}, 1, "address already in use"},
		"no signer":       {[]string{"revocation", "--bus", "embedded"}, 2, "expected --revocation-keys FILE"},
		"nothing heard":   {[]string{"gateway", "--passport-keys", keyFile(t), "--accounts", "ftp://x"}, 2, "--accounts: "},
		"tokens alone":    {[]string{"gateway", "--passport-keys", keyFile(t), "--jwks", "keys.json"}, 2, "--jwks without --accounts"},
		"bad edge":        {[]string{"node", "--edge", "localhost"}, 1, `address "localhost": expected tcp://HOST:PORT`},
	} {
		_, errs, code := run(t, tt.args...)
		if code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q; want exit %d and %q", name, code, errs, tt.code, tt.want)
		}
	}
}

func TestCtrlCLetsRequestsFinishAndLeavesNoPort(t *testing.T) {
	patient := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(patient, declared.Patient("1m"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "dev", "--http", "127.0.0.1:0", "--lines", "tcp://127.0.0.1:0", "--edge", "tcp://127.0.0.1:0", "--budget", "1m", "--config", patient, "--grace", "1m")
	at := p.Expect(`^gateway at (\S+), lines at (\S+)$`)
	edgeAt := p.Expect(`^edge at (\S+)$`)[0]
	ratings := p.Expect(`^ratings at (\S+)$`)[0]
	p.Expect(`^Ctrl-C ends it`)
	control(t, ratings, `{"mode":"hang"}`)
	status := make(chan string, 1)
	go func() {
		resp, err := http.Get(at[0] + "/tv@^1/home?profile=paul")
		if err != nil {
			status <- err.Error()
			return
		}
		defer resp.Body.Close()
		status <- resp.Status
	}()
	await.Until(t, "the request has reached the mid-tier", func() bool { return requests(t, ratings) == 1 })
	p.Interrupt()
	await.Until(t, "no new device is let in", func() bool {
		nc, err := net.Dial("tcp", strings.TrimPrefix(at[0], "http://"))
		if err == nil {
			nc.Close()
		}
		return err != nil
	})
	control(t, ratings, `{"mode":"ok"}`)
	if got := <-status; got != "200 OK" {
		t.Errorf("the request under way got %s", got)
	}
	p.Exit(0)
	for _, address := range []string{strings.TrimPrefix(at[0], "http://"), strings.TrimPrefix(at[1], "tcp://"), strings.TrimPrefix(edgeAt, "tcp://"), strings.TrimPrefix(ratings, "http://")} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("left behind: %v", err)
			continue
		}
		l.Close()
	}
}

func TestCtrlCWhileWaitingForAnEdge(t *testing.T) {
	p := start(t, "node", "--edge", "tcp://127.0.0.1:1")
	await.Until(t, "it says that it waits", func() bool { return strings.Contains(p.Errors.String(), "no line yet, trying again") })
	p.Interrupt()
	p.Exit(0)
}

func TestTheOrderOfStartingDoesNotMatter(t *testing.T) {
	s := startSystem(t)
	free := freePorts(t, 2)
	gatewayLines, web := fmt.Sprintf("127.0.0.1:%d", free), fmt.Sprintf("127.0.0.1:%d", free+1)
	node := start(t, "node", "--edge", s.edgeAt, "--gateway", "tcp://"+gatewayLines)
	await.Until(t, "the node waits", func() bool { return strings.Contains(node.Errors.String(), "no line yet") })
	start(t, "gateway", "--http", web, "--listen", "tcp://"+gatewayLines, "--passport-keys", s.keys)
	node.Expect(`^adapter tv@2.0.0 is offered`)
	if p := getPage(t, "http://"+web+"/tv/home?profile=paul"); p.Degraded != nil {
		t.Errorf("degraded: %v", p.Degraded)
	}
}
