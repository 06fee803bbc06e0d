// Package certs makes short-lived certificates in memory: for tests, and for warmline
// dev. No key is written anywhere, but by [Write].
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Authority signs certificates. Its methods may be called by many goroutines at
// once.
type Authority struct {
	// Pool holds the authority's own certificate.
	Pool *x509.CertPool

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Known is an authority that every test of a process may share.
var Known = sync.OnceValue(New)

var server = sync.OnceValue(func() tls.Certificate { return Known().Sign("server") })

// Server is a configuration with a certificate of the known authority, whose
// name is "server".
func Server() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{server()}} }

// Client is a configuration that trusts the known authority alone.
func Client() *tls.Config { return &tls.Config{RootCAs: Known().Pool} }

// New makes an authority that nobody knows. Like Sign, it panics if there is no
// randomness.
func New() *Authority { return NewFor(time.Hour) }

// NewFor makes an authority that is good for so long.
func NewFor(lasts time.Duration) *Authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "warmline authority"},
		NotBefore: time.Now().Add(-early), NotAfter: time.Now().Add(lasts),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &Authority{key: key, Pool: x509.NewCertPool()}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	a.Pool.AddCert(a.cert)
	return a
}

// early is before now: clocks differ.
const early = time.Hour

// PEM is the authority's certificate, as files have it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Sign makes a certificate for 127.0.0.1 that servers and clients can show.
func (a *Authority) Sign(name string) tls.Certificate {
	return a.Issue(Request{Name: name, Lasts: time.Hour})
}

// Request is what is to be certified.
type Request struct {
	Name string   // of the subject
	DNS  []string // names of the host, besides its addresses on loopback
	URIs []string
	// Lasts is how long it is good for, from now. Negative: it has expired.
	Lasts time.Duration
}

// Issue makes a certificate for loopback that servers and clients can show.
func (a *Authority) Issue(r Request) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: r.Name},
		NotBefore: time.Now().Add(min(0, r.Lasts) - early), NotAfter: time.Now().Add(r.Lasts),
		DNSNames: r.DNS, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, text := range r.URIs {
		u, err := url.Parse(text)
		if err != nil {
			panic(err)
		}
		template.URIs = append(template.URIs, u)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Write writes a certificate and its key into files, for tests of what reads them.
func Write(folder, name string, c tls.Certificate) (certFile, keyFile string, err error) {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(folder, name+".pem"), filepath.Join(folder, name+".key")
	return certFile, keyFile, errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
}
