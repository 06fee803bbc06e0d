package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"warmline.dev/internal/credentials"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/peers"
)

// addListening adds the flags of who is dialled.
func addListening(f *pflag.FlagSet, files *credentials.Files) {
	addCertificates(f, files)
	f.StringVar(&files.Peers, "peers", "", "file that says who may dial, and what each may do; read again when it changes (default: everybody may, and it listens on loopback only)")
}

// addPassports adds the flag of who signs and verifies passports for others.
func addPassports(f *pflag.FlagSet, files *credentials.Files) {
	f.StringVar(&files.Passports, "passport-keys", "", keysHelp+"; read again when it changes")
}

// addDialling adds the flags of who dials.
func addDialling(f *pflag.FlagSet, files *credentials.Files) {
	if f.Lookup("tls-cert") == nil {
		addCertificates(f, files)
	}
	f.StringVar(&files.Token, "token-file", "", "file with the token to show, made by warmline peer token; read again when it changes")
}

func addCertificates(f *pflag.FlagSet, files *credentials.Files) {
	f.StringVar(&files.Cert, "tls-cert", "", "certificate to show, in PEM; read again when it changes")
	f.StringVar(&files.Key, "tls-key", "", "its key, in PEM")
	f.StringVar(&files.CA, "tls-ca", "", "certificates in PEM of who signs those that are trusted (default: the system's, of who is dialled)")
}

// proof is how a tier proves who it is, and knows who others are. The zero value does
// neither.
type proof struct {
	server  *tls.Config // to listen with; nil: there is no certificate
	known   *peers.Peers
	node    nodelayer.Credentials
	onPeers func(func()) // has a function told when known have changed; nil: they don't
}

// told has a function told when those that may dial have changed.
func (p proof) told(f func()) {
	if p.onPeers != nil {
		p.onPeers(f)
	}
}

// openCredentials reads the files.
func openCredentials(files credentials.Files, log zerolog.Logger) (*credentials.Credentials, proof, error) {
	if (files.Cert == "") != (files.Key == "") {
		return nil, proof{}, usageError{errors.New("--tls-cert and --tls-key: expected both, or none")}
	}
	c, err := credentials.Open(files, log)
	if err != nil {
		return nil, proof{}, notStarted("peers", err)
	}
	p := proof{server: c.Server(), known: c.Peers(), node: nodelayer.Credentials{TLS: c.Client}, onPeers: c.OnPeers}
	if c.HasToken() {
		p.node.Token = c.Token
	}
	if p.known != nil && p.known.Certified() && files.CA == "" && files.Cert != "" {
		return nil, proof{}, usageError{fmt.Errorf("%s has peers with certificates: give --tls-ca too, which says whose certificates are good", files.Peers)}
	}
	return c, p, nil
}

// keepCredentials reads the files again when they change, and on SIGHUP. The tier is to
// be stopped last.
func keepCredentials(c *credentials.Credentials) *tier {
	ctx, cancel := context.WithCancel(context.Background())
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	running.Go(func() {
		for {
			select {
			case <-hangUp:
				c.Reload()
			case <-ctx.Done():
				return
			}
		}
	})
	return &tier{name: "credentials", stop: func(context.Context) error {
		signal.Stop(hangUp)
		cancel()
		running.Wait()
		return nil
	}}
}
