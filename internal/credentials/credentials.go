package credentials

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/passport"
	"warmline.dev/protocol/peers"
)

// Files are those that there are. Empty: there is none.
type Files struct {
	Cert, Key string // in PEM; both or none
	CA        string // whose certificates are trusted, in PEM; none: the system's, of servers
	Token     string // what the process shows
	Peers     string // who may dial it
	Passports string // the passport keys
}

// Credentials are what is in the files. Make them with [Open]. All methods are safe
// for concurrent use.
type Credentials struct {
	files Files
	log   zerolog.Logger

	server, client atomic.Pointer[tls.Config] // nil: there is none
	token          atomic.Pointer[string]
	peers          *peers.Peers // nil: nobody is asked
	keys           *Keys        // nil: there are none

	mu    sync.Mutex // held while files are looked at
	parts []*part
	told  func() // guarded by mu: of peers that have changed
}

// part is files that are read together.
type part struct {
	what  string
	paths []string
	use   func(texts [][]byte) error

	used, seen [][]byte
	wrong      string
}

// Open reads the files. What is wrong with that of the peers is a mistake.List.
func Open(files Files, log zerolog.Logger) (*Credentials, error) {
	c := &Credentials{files: files, log: log}
	if (files.Cert == "") != (files.Key == "") {
		return nil, errors.New("a certificate and its key: expected both, or none")
	}
	c.parts = []*part{
		{what: "certificates", paths: []string{files.Cert, files.Key, files.CA}, use: c.useCertificates},
		{what: "token", paths: []string{files.Token}, use: c.useToken},
		{what: "peers", paths: []string{files.Peers}, use: c.usePeers},
		{what: "passport keys", paths: []string{files.Passports}, use: c.useKeys},
	}
	for _, p := range c.parts {
		texts, err := p.read()
		if err == nil {
			err = p.use(texts)
		}
		if err != nil {
			return nil, err
		}
		p.used, p.seen = texts, texts
	}
	return c, nil
}

const maxFile = peers.MaxSize

// read reads the files of a part; nil stands for one that there is none of.
func (p *part) read() ([][]byte, error) {
	texts := make([][]byte, len(p.paths))
	for i, path := range p.paths {
		if path == "" {
			continue
		}
		is, err := os.Stat(path)
		if err == nil && (!is.Mode().IsRegular() || is.Size() > maxFile) {
			err = fmt.Errorf("%s: expected a file of at most %d bytes", path, maxFile)
		}
		if err == nil {
			texts[i], err = os.ReadFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.what, err)
		}
		if texts[i] == nil {
			texts[i] = []byte{}
		}
	}
	return texts, nil
}

func (c *Credentials) useCertificates(texts [][]byte) error {
	var own []tls.Certificate
	if texts[0] != nil {
		pair, err := tls.X509KeyPair(texts[0], texts[1])
		if err != nil {
			return fmt.Errorf("%s, %s: %w", c.files.Cert, c.files.Key, err)
		}
		own = append(own, pair)
	}
	var trusted *x509.CertPool
	if texts[2] != nil {
		if trusted = x509.NewCertPool(); !trusted.AppendCertsFromPEM(texts[2]) {
			return fmt.Errorf("%s: expected certificates in PEM", c.files.CA)
		}
	}
	if own == nil && trusted == nil {
		return nil
	}
	c.client.Store(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: own, RootCAs: trusted})
	if own == nil {
		return nil
	}
	// Without tickets: a line is long, and who resumes would go by what was trusted then.
	server := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: own, SessionTicketsDisabled: true}
	if trusted != nil { // who has none may have a token
		server.ClientCAs, server.ClientAuth = trusted, tls.VerifyClientCertIfGiven
	}
	c.server.Store(server)
	return nil
}

func (c *Credentials) useToken(texts [][]byte) error {
	if texts[0] == nil {
		return nil
	}
	token := strings.TrimSpace(string(texts[0]))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return fmt.Errorf("%s: expected one token, as warmline peer token prints it", c.files.Token)
	}
	c.token.Store(&token)
	return nil
}

func (c *Credentials) usePeers(texts [][]byte) error {
	if texts[0] == nil {
		return nil
	}
	p, err := peers.Parse(c.files.Peers, texts[0])
	if err != nil {
		return err
	}
	if c.peers == nil {
		c.peers = p
	} else {
		c.peers.Replace(p)
	}
	if c.told != nil {
		c.told()
	}
	return nil
}

func (c *Credentials) useKeys(texts [][]byte) error {
	if texts[0] == nil {
		return nil
	}
	list, err := passport.ParseKeys(string(texts[0]))
	if err == nil && c.keys == nil {
		c.keys, err = NewKeys(list...)
	} else if err == nil {
		err = c.keys.replace(list)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.files.Passports, err)
	}
	return nil
}

// Server is how to listen with TLS; nil, if there is no certificate. It follows what
// changes.
func (c *Credentials) Server() *tls.Config {
	if c.server.Load() == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.server.Load(), nil },
	}
}

// Client is how to dial with TLS now; nil, if nothing is said of that. It is not to be
// changed.
func (c *Credentials) Client() *tls.Config { return c.client.Load() }

// Token is what is shown now; "", if there is none.
func (c *Credentials) Token() string {
	if t := c.token.Load(); t != nil {
		return *t
	}
	return ""
}

// HasToken reports whether there is a token to show.
func (c *Credentials) HasToken() bool { return c.token.Load() != nil }

// Peers are who may dial; nil, if nobody is asked. They are the same as long as the
// Credentials are there.
func (c *Credentials) Peers() *peers.Peers { return c.peers }

// Keys are the passport keys; nil, if there is no file. They are the same as long as
// the Credentials are there.
func (c *Credentials) Keys() *Keys { return c.keys }

// OnPeers has f told when peers have changed.
func (c *Credentials) OnPeers(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = f
}

const lookEvery = 500 * time.Millisecond

// Run looks at the files until ctx ends.
func (c *Credentials) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.look(false)
		}
	}
}

// Reload reads the files again at once.
func (c *Credentials) Reload() { c.look(true) }

func (c *Credentials) look(now bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		texts, err := p.read()
		if err == nil {
			// One that is being written is looked at again: half of it may make sense.
			still := now || same(texts, p.seen)
			p.seen = texts
			if !still || same(texts, p.used) && p.wrong == "" {
				continue
			}
			if !same(texts, p.used) {
				err = p.use(texts)
			}
		}
		switch {
		case err == nil:
			p.used, p.wrong = texts, ""
			c.log.Info().Str("what", p.what).Msg("read again")
		case err.Error() != p.wrong: // and not each time it is looked at
			p.wrong = err.Error()
			c.log.Error().Err(err).Str("what", p.what).Msg("not read again: what was read before stays")
		}
	}
}

func same(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// OnLoopback reports whether a host is this one, as its address or as localhost.
func OnLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }
