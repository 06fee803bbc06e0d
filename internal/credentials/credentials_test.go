package credentials_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/logged"
	"warmline.dev/protocol/mistake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder has all files that there can be.
type folder struct {
	t         *testing.T
	authority *certs.Authority
	path      string
	files     credentials.Files
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, authority: certs.New(), path: t.TempDir()}
	f.issue("server-1")
	f.files.CA = write(t, filepath.Join(f.path, "ca.pem"), string(f.authority.PEM()))
	f.files.Token = write(t, filepath.Join(f.path, "token"), "  token-1\n")
	f.files.Peers = write(t, filepath.Join(f.path, "peers.yaml"), "peers: {one: {certificate: one.example, operates: true}}")
	return f
}

func (f *folder) issue(name string) {
	f.t.Helper()
	var err error
	if f.files.Cert, f.files.Key, err = certs.Write(f.path, "own", f.authority.Issue(certs.Request{DNS: []string{name}, Lasts: time.Hour})); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) open(log *logged.Log) *credentials.Credentials {
	f.t.Helper()
	c, err := credentials.Open(f.files, zerolog.New(log))
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// shown is the name of who listens, and of who dials, as they see one another.
func shown(t *testing.T, server, client *tls.Config) (of string, by string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make(chan string, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			seen <- err.Error()
			return
		}
		defer nc.Close()
		s := tls.Server(nc, server)
		if err := s.HandshakeContext(await.Context(t)); err != nil {
			seen <- err.Error()
			return
		}
		if len(s.ConnectionState().VerifiedChains) == 0 {
			seen <- "nobody"
			return
		}
		seen <- s.ConnectionState().PeerCertificates[0].DNSNames[0]
	}()
	client = client.Clone()
	client.ServerName = "127.0.0.1"
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := tls.Client(nc, client)
	if err := c.HandshakeContext(await.Context(t)); err != nil {
		return err.Error(), <-seen
	}
	return c.ConnectionState().PeerCertificates[0].DNSNames[0], <-seen
}

func TestWhatIsInTheFiles(t *testing.T) {
	f := newFolder(t)
	c := f.open(new(logged.Log))
	if of, by := shown(t, c.Server(), c.Client()); of != "server-1" || by != "server-1" {
		t.Error(of, by)
	}
	if _, by := shown(t, c.Server(), &tls.Config{RootCAs: f.authority.Pool}); by != "nobody" {
		t.Errorf("who has no certificate may have a token: %s", by)
	}
	if of, by := shown(t, c.Server(), &tls.Config{RootCAs: f.authority.Pool, Certificates: []tls.Certificate{certs.New().Sign("x")}}); by == "x" || by == "nobody" {
		t.Error(of, by)
	}
	if of, _ := shown(t, &tls.Config{Certificates: []tls.Certificate{certs.New().Sign("x")}}, c.Client()); !strings.Contains(of, "unknown authority") {
		t.Error(of)
	}
	if c.Token() != "token-1" || !c.HasToken() || c.Peers().Names()[0] != "one" {
		t.Error(c.Token(), c.Peers())
	}
	none, err := credentials.Open(credentials.Files{}, zerolog.Nop())
	if err != nil || none.Server() != nil || none.Client() != nil || none.Token() != "" || none.HasToken() || none.Peers() != nil {
		t.Error(none, err)
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	f := newFolder(t)
	bad := write(t, filepath.Join(f.path, "bad"), "one-secret another-secret")
	for want, files := range map[string]credentials.Files{
		"expected both, or none":           {Cert: f.files.Cert},
		"expected both, or none ":          {Key: f.files.Key},
		"no/such.pem":                      {Cert: "no/such.pem", Key: f.files.Key},
		f.files.CA + ", " + f.files.Key:    {Cert: f.files.CA, Key: f.files.Key},
		bad + ": expected certificates":    {CA: bad},
		bad + ": expected one token":       {Token: bad},
		f.path + ": expected a file of at": {Token: f.path},
		bad + ":1:1: the file is text":     {Peers: bad},
	} {
		_, err := credentials.Open(files, zerolog.Nop())
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
		if _, ok := errors.AsType[mistake.List](err); ok != (files.Peers != "") {
			t.Errorf("%T", err)
		}
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	f := newFolder(t)
	var log logged.Log
	c := f.open(&log)
	server, who := c.Server(), c.Peers()
	var told atomic.Int64
	c.OnPeers(func() { told.Add(1) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()

	f.issue("server-2")
	write(t, f.files.Token, "token-2")
	write(t, f.files.Peers, "peers: {two: {certificate: two.example, operates: true}}")
	await.Until(t, "all to be read", func() bool {
		of, by := shown(t, server, c.Client())
		return of == "server-2" && by == "server-2" && c.Token() == "token-2" && who.Names()[0] == "two" && told.Load() == 1
	})
	// What is wrong changes nothing, and is told once.
	write(t, f.files.Token, "")
	write(t, f.files.Peers, "peers: {three: {}}")
	write(t, f.files.Key, "warmline-secret")
	await.Until(t, "what is wrong to be told", func() bool { return strings.Count(log.String(), "not read again") == 3 })
	time.Sleep(1200 * time.Millisecond)
	c.Reload()
	if got := log.String(); strings.Count(got, "not read again") != 3 || strings.Contains(got, "secret") {
		t.Error(got)
	}
	if of, _ := shown(t, server, c.Client()); of != "server-2" || c.Token() != "token-2" || who.Names()[0] != "two" || told.Load() != 1 {
		t.Error(of, c.Token(), who.Names())
	}
	// A file that is not there is no reason to forget what was in it.
	if err := os.Remove(f.files.Peers); err != nil {
		t.Fatal(err)
	}
	c.Reload()
	if who.Names()[0] != "two" {
		t.Error(who.Names())
	}
	write(t, f.files.Peers, "peers: {three: {certificate: three.example, operates: true}}")
	f.issue("server-3")
	c.Reload() // at once
	if of, _ := shown(t, server, c.Client()); of != "server-3" || who.Names()[0] != "three" {
		t.Error(of, who.Names())
	}
}
