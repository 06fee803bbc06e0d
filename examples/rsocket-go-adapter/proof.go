package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// proof is how this program says who it is, to an edge and a gateway that ask, and
// knows who they are.
type proof struct {
	token   string
	trusted *x509.CertPool // nil: the system's
}

func readProof(tokenFile, caFile string) (p proof, err error) {
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return p, err
		}
		p.token = strings.TrimSpace(string(text))
	}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return p, err
		}
		if p.trusted = x509.NewCertPool(); !p.trusted.AppendCertsFromPEM(text) {
			return p, errors.New(caFile + ": expected certificates in PEM")
		}
	}
	return p, nil
}

// idAuthentication is the well-known id of message/x.rsocket.authentication.v0, and
// typeBearer that of a token in it.
const (
	idAuthentication = 0x7C
	typeBearer       = 0x81
)

// metadata is what goes into SETUP: nothing, without a token.
func (p proof) metadata() []byte {
	if p.token == "" {
		return nil
	}
	return appendSized([]byte{0x80 | idAuthentication}, append([]byte{typeBearer}, p.token...))
}

// secure speaks TLS on a connection, if the address says so.
func (p proof) secure(ctx context.Context, conn net.Conn, scheme, host string) (net.Conn, error) {
	if scheme != "tls" {
		return conn, nil
	}
	c := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: p.trusted})
	if err := c.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return c, nil
}
