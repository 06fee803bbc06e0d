package peers

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// Peers are those who may dial. Make them with [New] or [Parse]. All methods are
// safe for concurrent use.
type Peers struct {
	list                       atomic.Pointer[list]
	unauthenticated, forbidden atomic.Int64
}

// list is the peers at one time. It does not change.
type list struct {
	peers         []Peer
	byCertificate map[string]*Peer
}

// New makes peers, or says what is wrong with them.
func New(declared ...Peer) (*Peers, error) {
	l := &list{byCertificate: map[string]*Peer{}}
	tokens := map[Hash]string{}
	names := map[string]bool{}
	for _, p := range declared {
		p.Certificates, p.Tokens = slices.Clone(p.Certificates), slices.Clone(p.Tokens)
		p.Offers, p.Calls = slices.Clone(p.Offers), slices.Clone(p.Calls)
		if why := p.wrong(); why != "" {
			return nil, fmt.Errorf("peers: peer %q: %s", plain(p.Name), why)
		}
		if names[p.Name] {
			return nil, fmt.Errorf("peers: two peers are called %s", p.Name)
		}
		names[p.Name] = true
		for _, h := range p.Tokens {
			if other, taken := tokens[h]; taken {
				return nil, fmt.Errorf("peers: %s and %s have the same token", other, p.Name)
			}
			tokens[h] = p.Name
		}
		l.peers = append(l.peers, p)
	}
	for i := range l.peers {
		p := &l.peers[i]
		for _, c := range p.Certificates {
			if other := l.byCertificate[c]; other != nil {
				return nil, fmt.Errorf("peers: %s and %s have the same certificate, %s", other.Name, p.Name, c)
			}
			l.byCertificate[c] = p
		}
	}
	of := &Peers{}
	of.list.Store(l)
	return of, nil
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

const howName = "a name of lower-case letters, digits and '-'"

// wrong says what is wrong with a peer, "" if nothing is.
func (p *Peer) wrong() string {
	if !validName.MatchString(p.Name) {
		return "expected " + howName
	}
	for _, c := range p.Certificates {
		if why := wrongCertificate(c); why != "" {
			return why
		}
	}
	for _, name := range slices.Concat(p.Offers, p.Calls) {
		if name != all && !validName.MatchString(name) {
			return fmt.Sprintf("%q is no adapter or service; expected %s, or \"*\" for all", plain(name), howName)
		}
	}
	switch {
	case len(p.Certificates)+len(p.Tokens) == 0:
		return noProof
	case len(p.Offers)+len(p.Calls) == 0 && !p.HandsOver && !p.Operates:
		return noRight
	}
	return ""
}

const (
	noProof = "it can't prove itself; expected certificate or tokens"
	noRight = "it may do nothing; expected offers, calls, hands-over or operates"
)

var validHost = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

// wrongCertificate says what is wrong with the name in a certificate.
func wrongCertificate(name string) string {
	const how = "a DNS name such as tv.nodes.example, or a URI such as spiffe://example/tv"
	u, err := url.Parse(name)
	isURI := err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
	switch {
	case strings.Contains(name, "*"):
		return fmt.Sprintf("certificate is %q, which no wildcard can be; expected %s", plain(name), how)
	case len(name) > 2048 || !isURI && (len(name) > 253 || !validHost.MatchString(name)):
		return fmt.Sprintf("certificate is %q; expected %s", plain(name), how)
	}
	return ""
}

// Replace puts other peers into force. Who is at a server already stays until that
// looks again. The figures go on.
func (p *Peers) Replace(by *Peers) { p.list.Store(by.list.Load()) }

// Certified reports whether any peer proves itself with a certificate.
func (p *Peers) Certified() bool { return len(p.list.Load().byCertificate) > 0 }

// Names are those of the peers, in order.
func (p *Peers) Names() (names []string) {
	for _, peer := range p.list.Load().peers {
		names = append(names, peer.Name)
	}
	return names
}

// Stats are figures since the start.
type Stats struct {
	Unauthenticated int64 `json:"unauthenticated"` // who did not prove to be a peer
	Forbidden       int64 `json:"forbidden"`       // peers that wanted what they may not
}

// Stats returns the figures now.
func (p *Peers) Stats() Stats {
	return Stats{Unauthenticated: p.unauthenticated.Load(), Forbidden: p.forbidden.Load()}
}

// MayOffer says why a peer may not offer an adapter, nil if it may. A refusal is
// counted.
func (p *Peers) MayOffer(peer *Peer, adapter string) *protocol.Refusal {
	if peer.MayOffer(adapter) {
		return nil
	}
	p.forbidden.Add(1)
	return peer.offerRefusal(adapter)
}

// MayCall says why a peer may not call all of these services, nil if it may. A
// refusal is counted.
func (p *Peers) MayCall(peer *Peer, services ...string) *protocol.Refusal {
	var not []string
	for _, s := range services {
		if !peer.MayCall(s) {
			not = append(not, s)
		}
	}
	if not == nil {
		return nil
	}
	p.forbidden.Add(1)
	return peer.callRefusal(not)
}

// MayNot refuses what a peer wanted to do otherwise, and counts it: "take over what
// an edge holds".
func (p *Peers) MayNot(peer *Peer, what string) *protocol.Refusal {
	p.forbidden.Add(1)
	return &protocol.Refusal{Code: protocol.Forbidden, Message: fmt.Sprintf("peer %s may not %s", peer.Name, what)}
}

// Identify finds the peer that sent a SETUP. State is that of its connection, nil
// where that goes without TLS. Whatever proof is given has to be good: a certificate
// of one peer with the token of another is refused, and so is a good certificate with
// a token that is nobody's. A certificate that names no peer does no harm to a good
// token. A refusal is counted, and has nothing secret in it.
func (p *Peers) Identify(setup rsocket.Setup, state *tls.ConnectionState) (*Peer, *protocol.Refusal) {
	token, shown, err := bearer(setup.Payload.Metadata)
	var peer *Peer
	if err == nil {
		peer, err = p.list.Load().identify(state, token, shown)
	}
	return p.found(peer, err)
}

// IdentifyRequest is Identify for what is no line, such as an operator's port: token is
// what was shown, "" if none was.
func (p *Peers) IdentifyRequest(token string, state *tls.ConnectionState) (*Peer, *protocol.Refusal) {
	return p.found(p.list.Load().identify(state, []byte(token), token != ""))
}

func (p *Peers) found(peer *Peer, err error) (*Peer, *protocol.Refusal) {
	if err != nil {
		p.unauthenticated.Add(1)
		return nil, &protocol.Refusal{Code: protocol.Unauthenticated, Message: err.Error()}
	}
	return peer, nil
}

func (l *list) identify(state *tls.ConnectionState, token []byte, shown bool) (*Peer, error) {
	byCertificate, why := l.certified(state)
	if !shown {
		return byCertificate, why
	}
	byToken, err := l.holding(token)
	if err == nil && byCertificate != nil && byCertificate != byToken {
		err = errors.New("the certificate is of one peer, and the token of another")
	}
	if err != nil {
		return nil, err
	}
	return byToken, nil
}
