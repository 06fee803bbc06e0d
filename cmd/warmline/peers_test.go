package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/proctest"
)

// guarded is a system of processes in which everybody proves who they are.
type guarded struct {
	t         *testing.T
	authority *certs.Authority
	folder    string
	hashes    map[string]string // of tokens, by name

	edge, gateway    *proctest.Process
	edgeAt, adminAt  string
	gatewayAt, webAt string
}

func (g *guarded) write(name, text string) string {
	g.t.Helper()
	path := filepath.Join(g.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

// showing are the flags of who has a certificate of a name.
func (g *guarded) showing(name string) []string {
	g.t.Helper()
	return g.issue(g.authority, name, time.Hour)
}

func (g *guarded) issue(a *certs.Authority, name string, lasts time.Duration) []string {
	g.t.Helper()
	cert, key, err := certs.Write(g.folder, name, a.Issue(certs.Request{DNS: []string{name}, Lasts: lasts}))
	if err != nil {
		g.t.Fatal(err)
	}
	return []string{"--tls-cert", cert, "--tls-key", key, "--tls-ca", filepath.Join(g.folder, "ca.pem")}
}

// saying are the flags of who has a token, which is made if there is none of that name.
func (g *guarded) saying(name string) []string {
	g.t.Helper()
	path := filepath.Join(g.folder, name+".token")
	if _, err := os.Stat(path); err != nil {
		token, line, code := run(g.t, "peer", "token", name)
		if code != 0 {
			g.t.Fatal(line)
		}
		g.write(name+".token", token)
		g.hashes[name] = regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(line)
	}
	return []string{"--token-file", path, "--tls-ca", filepath.Join(g.folder, "ca.pem")}
}

// peers writes the file; batch are the names of that one's tokens.
func (g *guarded) peers(batch ...string) string {
	g.t.Helper()
	var hashes []string
	for _, name := range batch {
		g.saying(name)
		hashes = append(hashes, fmt.Sprintf("%q", g.hashes[name]))
	}
	g.saying("staff")
	return g.write("peers.yaml", `
peers:
  tv-nodes: {certificate: tv.nodes.example, offers: [tv], calls: ["*"], changes-passports: true}
  web-nodes: {certificate: web.nodes.example, offers: [web], calls: ["*"]}
  edges: {certificate: edge.example, hands-over: true}
  batch: {tokens: [`+strings.Join(hashes, ", ")+`], calls: [catalogue]}
  staff: {tokens: ["`+g.hashes["staff"]+`"], operates: true}
`)
}

func startGuarded(t *testing.T) *guarded {
	g := &guarded{t: t, authority: certs.New(), folder: t.TempDir(), hashes: map[string]string{}}
	g.write("ca.pem", string(g.authority.PEM()))
	keys, _, _ := run(t, "key")
	keyFile := g.write("keys", keys)
	peers := g.peers("batch")
	sample := start(t, "sample", "--base-port", "0")
	var sources []string
	for _, name := range sampleNames {
		sources = append(sources, "--source", name+"="+sample.Expect(`^` + name + ` at (\S+)$`)[0])
	}
	args := append([]string{"edge", "--listen", "tls://127.0.0.1:0", "--passport-keys", keyFile, "--peers", peers}, g.showing("edge.example")...)
	g.edge = start(t, append(args, sources...)...)
	g.edgeAt = g.edge.Expect(`^edge at (tls://\S+)$`)[0]
	g.adminAt = g.edge.Expect(`^admin at (\S+)$`)[0]
	g.gateway = start(t, append([]string{"gateway", "--http", "127.0.0.1:0", "--listen", "wss://127.0.0.1:0/lines", "--passport-keys", keyFile, "--peers", peers}, g.showing("gateway.example")...)...)
	at := g.gateway.Expect(`^gateway at (\S+), lines at (wss://\S+)$`)
	g.webAt, g.gatewayAt = at[0], at[1]
	return g
}

func (g *guarded) call(flags []string, args ...string) (string, string, int) {
	g.t.Helper()
	return run(g.t, append(append([]string{"call", "--compact", "--edge", g.edgeAt}, args...), flags...)...)
}

// logs waits for a process to log texts, one behind the other.
func logs(t *testing.T, p *proctest.Process, texts ...string) {
	t.Helper()
	await.Until(t, fmt.Sprintf("%q in the log", texts), func() bool {
		rest, found := p.Errors.String(), true
		for _, text := range texts {
			if found {
				_, rest, found = strings.Cut(rest, text)
			}
		}
		return found
	})
}

// Every tier proves who it is to every other, and nobody else gets in.
func TestEverybodyProvesWhoTheyAre(t *testing.T) {
	g := startGuarded(t)
	node := start(t, append([]string{"node", "--edge", g.edgeAt, "--gateway", g.gatewayAt}, g.showing("tv.nodes.example")...)...)
	node.Expect(`^adapter tv@2.0.0 is offered`)
	if p := getPage(t, g.webAt+"/tv@^1/home?profile=paul"); p.Degraded != nil || p.UserProfile != "Paul" {
		t.Errorf("the page: %+v", p)
	}
	// Another edge takes over what this one has.
	args := []string{"edge", "--listen", "tls://127.0.0.1:0", "--passport-keys", filepath.Join(g.folder, "keys"), "--peers", filepath.Join(g.folder, "peers.yaml"), "--peer", g.edgeAt}
	other := start(t, append(args, g.showing("edge.example")...)...)
	other.Expect(`^edge at `)
	logs(t, other, "another edge has handed over")
	stranger := start(t, append(args, g.showing("gateway.example")...)...)
	stranger.Expect(`^edge at `)
	logs(t, stranger, "expected the name of a peer", "no other edge hands over what is warm")

	ca := []string{"--tls-ca", filepath.Join(g.folder, "ca.pem")}
	g.write("wrong.token", "warmline_nobodys")
	for what, tt := range map[string]struct {
		flags []string
		args  []string
		code  int
		want  string
	}{
		"a token":                  {g.saying("batch"), []string{"catalogue.videos", `{"ids":[17]}`}, 0, "Metropolis"},
		"what it may not call":     {g.saying("batch"), []string{"members.current"}, 1, "forbidden: peer batch may not call members; it may call catalogue"},
		"what it may not want":     {g.saying("batch"), []string{"catalogue.videos", `{"ids":[17]}`, "--want", "members=^1"}, 1, "peer batch may not call members; it may call catalogue"},
		"figures":                  {g.saying("batch"), []string{"edge.stats"}, 1, "forbidden: peer batch may not call edge.stats"},
		"figures for an operator":  {g.saying("staff"), []string{"edge.stats"}, 0, `"peers":{`},
		"a certificate":            {g.showing("tv.nodes.example"), []string{"edge.stats"}, 0, `"peers":{`},
		"nothing":                  {ca, []string{"edge.stats"}, 1, "the line is not authenticated"},
		"a name that nobody has":   {g.showing("nobody.example"), []string{"edge.stats"}, 1, "the certificate has nobody.example: expected the name of a peer"},
		"a wrong token":            {append([]string{"--token-file", filepath.Join(g.folder, "wrong.token")}, ca...), []string{"edge.stats"}, 1, "the token is no peer's"},
		"another's token":          {append(g.showing("tv.nodes.example"), g.saying("batch")...), []string{"edge.stats"}, 1, "the certificate is of one peer, and the token of another"},
		"an expired certificate":   {g.issue(g.authority, "expired", -time.Minute), []string{"edge.stats"}, 1, ""},
		"a stranger's certificate": {g.issue(certs.New(), "stranger", time.Hour), []string{"edge.stats"}, 1, ""},
		"nobody is trusted":        {g.saying("batch")[:2], []string{"edge.stats"}, 1, "unknown authority"},
	} {
		out, errs, code := g.call(tt.flags, tt.args...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) || strings.Contains(out+errs, "warmline_") {
			t.Errorf("%s: exit %d, %q, %q", what, code, out, errs)
		}
	}
	_, errs, code := run(t, append([]string{"node", "--edge", g.edgeAt, "--gateway", g.gatewayAt}, g.showing("web.nodes.example")...)...)
	if code != 1 || !strings.Contains(errs, "peer web-nodes may not offer tv; it may offer web") {
		t.Errorf("exit %d, %s", code, errs)
	}
	invalidate := []string{"cache", "invalidate", "catalogue", "17", "--admin", g.adminAt}
	if out, errs, code := run(t, append(invalidate, g.saying("staff")...)...); code != 0 || !strings.Contains(out, "dropped") {
		t.Errorf("exit %d, %s, %s", code, out, errs)
	}
	if _, errs, code := run(t, append(invalidate, g.saying("batch")...)...); code != 1 || !strings.Contains(errs, "403 Forbidden: peer batch may not operate an edge") {
		t.Errorf("exit %d, %s", code, errs)
	}
	if _, errs, code := run(t, invalidate...); code != 1 || !strings.Contains(errs, "401 Unauthorized") {
		t.Errorf("exit %d, %s", code, errs)
	}
	for _, p := range []*proctest.Process{g.edge, g.gateway} {
		if got := p.Errors.String(); strings.Contains(got, "warmline_") || strings.Contains(got, "nobody is asked who they are") {
			t.Error(got)
		}
	}
}

// Tokens and certificates are replaced while everything runs.
func TestRotation(t *testing.T) {
	g := startGuarded(t)
	node := start(t, append([]string{"node", "--edge", g.edgeAt, "--gateway", g.gatewayAt}, g.showing("tv.nodes.example")...)...)
	node.Expect(`^adapter tv@2.0.0 is offered`)
	ask := func(name string) int {
		_, _, code := g.call(g.saying(name), "catalogue.videos", `{"ids":[17]}`)
		return code
	}
	g.peers("batch", "batch-2")
	await.Until(t, "both tokens are good", func() bool { return ask("batch") == 0 && ask("batch-2") == 0 })
	g.peers("batch-2")
	await.Until(t, "one is retired", func() bool { return ask("batch") == 1 && ask("batch-2") == 0 })
	// What is wrong changes nothing, on SIGHUP neither.
	before := g.write("peers.yaml.bad", "peers: {batch: {}}")
	good, err := os.ReadFile(filepath.Join(g.folder, "peers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(before, filepath.Join(g.folder, "peers.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*proctest.Process{g.edge, g.gateway, node} {
		p.Signal(syscall.SIGHUP)
	}
	await.Until(t, "they say so", func() bool {
		return strings.Contains(g.edge.Errors.String(), "peer batch: it can't prove itself") && strings.Contains(g.gateway.Errors.String(), "peer batch: it can't prove itself")
	})
	if ask("batch-2") != 0 {
		t.Error("a mistake has changed something")
	}
	g.write("peers.yaml", string(good))
	// An authority is replaced: first both are trusted, then everybody has a new
	// certificate, then the old one is not trusted any more.
	old := g.authority
	g.authority = certs.New()
	tiers := []*proctest.Process{g.edge, g.gateway, node}
	change := func(what string, f func()) {
		t.Helper()
		const line = `"what":"certificates"[^\n]*"read again"`
		times := func(p *proctest.Process) int {
			return len(regexp.MustCompile(line).FindAllString(p.Errors.String(), -1))
		}
		var before []int
		for _, p := range tiers {
			before = append(before, times(p))
		}
		f()
		for i, p := range tiers {
			await.Until(t, what, func() bool { return times(p) > before[i] })
		}
	}
	change("both authorities are trusted", func() { g.write("ca.pem", string(old.PEM())+string(g.authority.PEM())) })
	change("all have new certificates", func() {
		for _, name := range []string{"edge.example", "gateway.example", "tv.nodes.example"} {
			g.showing(name)
		}
	})
	change("the old authority is not trusted", func() { g.write("ca.pem", string(g.authority.PEM())) })
	if out, errs, code := g.call(g.showing("tv.nodes.example"), "edge.stats"); code != 0 || !strings.Contains(out, `"lines":3`) {
		t.Errorf("exit %d, %s, %s", code, out, errs) // and the lines of before stand
	}
	if _, _, code := g.call(g.issue(old, "tv.nodes.example", time.Hour), "edge.stats"); code != 1 {
		t.Error("a certificate of the old authority is good")
	}
	g.showing("tv.nodes.example")
	next := start(t, append([]string{"node", "--edge", g.edgeAt, "--gateway", g.gatewayAt}, g.showing("tv.nodes.example")...)...)
	next.Expect(`^adapter tv@2.0.0 is offered`)
	next.Interrupt()
	next.Exit(0)
	if p := getPage(t, g.webAt+"/tv@^1/home?profile=paul"); p.Degraded != nil {
		t.Errorf("the page: %+v", p)
	}
	for _, p := range []*proctest.Process{node, g.gateway, g.edge} {
		p.Interrupt()
		p.Exit(0)
	}
}

func TestWhoAsksNobodySaysSo(t *testing.T) {
	keys := keyFile(t)
	for _, args := range [][]string{{"edge", "--listen", "tcp://127.0.0.1:0"}, {"gateway", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0"}} {
		p := start(t, append(args, "--passport-keys", keys)...)
		p.Expect(` at `)
		logs(t, p, "nobody is asked who they are: whoever is on this machine may dial; --peers FILE says who may")
		p.Signal(syscall.SIGHUP) // is no reason to end
		p.Interrupt()
		p.Exit(0)
		if got := p.Errors.String(); strings.Count(got, `"level":"warn"`) != 1 {
			t.Errorf("%v: expected one warning:\n%s", args, got)
		}
	}
}

// Tools in other processes find what they need to dial dev, and others don't get in.
func TestDevAsksWhoDials(t *testing.T) {
	dev := start(t, "dev", "--http", "127.0.0.1:0", "--lines", "tls://127.0.0.1:0", "--edge", "tls://127.0.0.1:0")
	at := dev.Expect(`^gateway at (\S+), lines at (tls://\S+)$`)
	edgeAt := dev.Expect(`^edge at (tls://\S+)$`)[0]
	adminAt := dev.Expect(`^admin at (\S+)$`)[0]
	folder := dev.Expect(`^credentials of tools in (\S+)$`)[0]
	dev.Expect(`^Ctrl-C ends it`)
	if p := getPage(t, at[0]+"/tv@^1/home?profile=paul"); p.Degraded != nil {
		t.Errorf("the page: %+v", p)
	}
	if out, errs, code := run(t, "call", "edge.stats", "--edge", edgeAt); code != 0 || !strings.Contains(out, `"lines": 3`) {
		t.Errorf("exit %d, %s, %s", code, out, errs)
	}
	if out, errs, code := run(t, "cache", "invalidate", "catalogue", "17", "--admin", adminAt); code != 0 || !strings.Contains(out, "dropped 1 entry") {
		t.Errorf("exit %d, %s, %s", code, out, errs)
	}
	node := start(t, "node", "--edge", edgeAt, "--gateway", at[1], "--tls-ca", filepath.Join(folder, "ca.pem"), "--token-file", filepath.Join(folder, "token"))
	node.Expect(`^adapter tv@2.0.0 is offered`)
	// Another user, who does not see the folder.
	call := exec.Command(binary, "call", "edge.stats", "--edge", edgeAt, "--tls-ca", filepath.Join(folder, "ca.pem"))
	call.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	if _, errs, code := proctest.Run(t, call); code != 1 || !strings.Contains(errs, "the line is not authenticated") {
		t.Errorf("exit %d, %s", code, errs)
	}
	dev.Interrupt()
	dev.Exit(0)
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error(err)
	}
}
