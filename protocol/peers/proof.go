package peers

import (
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"warmline.dev/protocol/rsocket/composite"
)

var (
	errNone      = errors.New("the line is not authenticated: expected a client certificate (over tls:// or wss://), or a token in the metadata of SETUP")
	errMetadata  = errors.New("the metadata of SETUP: expected composite metadata with one entry of authentication, of the type bearer")
	errLong      = fmt.Errorf("the token: expected at most %d bytes", maxToken)
	errNobodys   = errors.New("the token is no peer's: it is wrong, or retired")
	errUnchecked = errors.New("the client certificate was not verified: expected a listener that knows whose certificates are good (ClientCAs)")
)

// bearer is the token in the metadata of a SETUP. What is wrong is not shown: it may
// be a token in the wrong place.
func bearer(metadata []byte) (token []byte, shown bool, err error) {
	for e, err := range composite.All(metadata) {
		if err != nil {
			return nil, false, errMetadata
		}
		if e.MIME != composite.Authentication {
			continue
		}
		auth, err := composite.ParseAuth(e.Data)
		if err != nil || auth.Type != composite.Bearer || shown {
			return nil, false, errMetadata
		}
		token, shown = auth.Token, true
	}
	return token, shown, nil
}

// holding is the peer with that token. How long it takes tells nothing of those
// that there are.
func (l *list) holding(token []byte) (*Peer, error) {
	if len(token) > maxToken {
		return nil, errLong
	}
	hash := HashToken(string(token))
	at := -1
	for i := range l.peers {
		for j := range l.peers[i].Tokens {
			at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], l.peers[i].Tokens[j][:]), i, at)
		}
	}
	if at < 0 {
		return nil, errNobodys
	}
	return &l.peers[at], nil
}

// certified is the peer that the client certificate names.
func (l *list) certified(state *tls.ConnectionState) (*Peer, error) {
	switch {
	case state == nil || len(state.PeerCertificates) == 0:
		return nil, errNone
	case len(state.VerifiedChains) == 0:
		return nil, errUnchecked
	}
	leaf := state.PeerCertificates[0]
	names := append([]string(nil), leaf.DNSNames...)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	var found *Peer
	for _, name := range names {
		peer := l.byCertificate[name]
		switch {
		case peer == nil || peer == found:
		case found != nil:
			return nil, fmt.Errorf("the certificate names two peers, %s and %s: expected one", found.Name, peer.Name)
		default:
			found = peer
		}
	}
	if found == nil {
		const most = 3
		told := strings.Join(names[:min(most, len(names))], ", ")
		if told == "" {
			told = "no DNS name and no URI"
		}
		return nil, fmt.Errorf("the certificate has %s: expected the name of a peer", plain(told))
	}
	return found, nil
}
