package cli

import (
	"crypto/tls"
	"net/url"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/certs"
	"warmline.dev/internal/edge"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/peers"
)

// devProofs are the certificates and tokens of one run of warmline dev. They are in
// memory alone, but for what tools on this machine need.
type devProofs struct {
	authority *certs.Authority
	node      certificate // what the adapters show
	server    certificate // what edge and gateway show

	nodeToken string // for addresses without TLS
	tools     string // the token of tools

	left []func() // what removes what was left for tools
}

const devNode = "node.dev"

func newDevProofs() *devProofs {
	d := &devProofs{
		authority: certs.NewFor(365 * 24 * time.Hour), // its key is gone with the process
		nodeToken: peers.NewToken(), tools: peers.NewToken(),
	}
	d.server.issue = func() tls.Certificate {
		return d.authority.Issue(certs.Request{Name: "warmline dev", DNS: []string{"localhost"}, Lasts: devLasts})
	}
	d.node.issue = func() tls.Certificate {
		return d.authority.Issue(certs.Request{Name: "warmline dev node", DNS: []string{devNode}, Lasts: devLasts})
	}
	return d
}

// devLasts is how long a certificate is good for. It is replaced after half of it.
const devLasts = 2 * time.Hour

// certificate is one that is issued anew before it expires.
type certificate struct {
	issue func() tls.Certificate
	mu    sync.Mutex
	// guarded by mu
	now   tls.Certificate
	until time.Time
}

func (c *certificate) get() tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !time.Now().Before(c.until) {
		c.now, c.until = c.issue(), time.Now().Add(devLasts/2)
	}
	return c.now
}

// of is how a tier of dev proves who it is, and knows who others are.
func (d *devProofs) of() (proof, error) {
	hash := func(token string) []peers.Hash { return []peers.Hash{peers.HashToken(token)} }
	known, err := peers.New(
		peers.Peer{Name: "node", Certificates: []string{devNode}, Tokens: hash(d.nodeToken), Offers: []string{"tv"}, Calls: []string{"*"}, Changes: true},
		peers.Peer{Name: "tools", Tokens: hash(d.tools), Offers: []string{"*"}, Calls: []string{"*"}, Operates: true, Changes: true},
	)
	return proof{
		server: &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{d.server.get()},
				SessionTicketsDisabled: true, ClientCAs: d.authority.Pool, ClientAuth: tls.VerifyClientCertIfGiven,
			}, nil
		}},
		known: known,
	}, err
}

// credentials are those of the adapters.
func (d *devProofs) credentials() nodelayer.Credentials {
	return nodelayer.Credentials{
		TLS: func() *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.authority.Pool, Certificates: []tls.Certificate{d.node.get()}}
		},
		Token: func() string { return d.nodeToken },
	}
}

// leave leaves what tools need to reach an address, and returns where; "", if it can't.
func (d *devProofs) leave(at *url.URL, log zerolog.Logger) string {
	folder, remove, err := leaveForTools(at, d.authority.PEM(), d.tools)
	if err != nil {
		log.Warn().Err(err).Stringer("address", at).Msg("warmline call and cache will not find this one by themselves")
		return ""
	}
	d.left = append(d.left, remove)
	return folder
}

// leaveAll leaves it for all addresses, and returns where that for the edge is.
func (d *devProofs) leaveAll(e *edge.Edge, at gatewayAt, log zerolog.Logger) (folder string) {
	for _, address := range []string{e.Admin(), at.lines, e.Address()} {
		if u, err := url.Parse(address); err == nil && address != "" {
			folder = d.leave(u, log)
		}
	}
	return folder
}

// forget removes what was left.
func (d *devProofs) forget() {
	for _, remove := range d.left {
		remove()
	}
}
