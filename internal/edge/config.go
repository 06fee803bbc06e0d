package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
)

// Config says what an edge is made of.
type Config struct {
	Version string
	// File is the declaration; empty: Text is, and is not read again.
	File string
	Text []byte
	// URLs override those of the sources, by name; several of one with spaces between.
	URLs map[string]string
	// Listen makes the listener for lines, and says what to dial. It is called when
	// the edge is ready.
	Listen func(ctx context.Context) (net.Listener, string, error)
	// Known are those that may dial, and operate. Nil: nobody is asked.
	Known *peers.Peers
	// Credentials are how it proves who it is to other edges.
	Credentials nodelayer.Credentials
	// Admin is the address for operators. Empty: none. AdminTLS has it speak TLS.
	Admin    string
	AdminTLS *tls.Config
	// Bus is where invalidations come from, as bus.Config has it.
	Bus string
	// Peers are the addresses of the other edges.
	Peers []string
	// WarmUp bounds the time that an edge may take to get warm before it is ready, and
	// to hand over when it stops. Default 10 s; negative: it starts cold.
	WarmUp time.Duration
	// HotKeys is a file that keeps which keys are hot, for when no other edge runs.
	// Empty: none.
	HotKeys string
	// MaxAtOnce bounds the calls that run at once, as edgelayer.Config has it.
	MaxAtOnce int
	Keys      *passport.Keyring
	Log       zerolog.Logger
}

// check says what is wrong with it that would show late, or never.
func (cfg Config) check() error {
	if err := bus.CheckURL(cfg.Bus); err != nil {
		return err
	}
	for _, peer := range cfg.Peers {
		if err := rsocket.CheckAddress(strings.TrimPrefix(peer, "dns+")); err != nil {
			return fmt.Errorf("another edge: %w", err)
		}
	}
	if cfg.HotKeys == "" {
		return nil
	}
	at := filepath.Dir(cfg.HotKeys)
	if is, err := os.Stat(at); err != nil || !is.IsDir() {
		return fmt.Errorf("hot keys: there is no directory %s; expected one that the edge may write to", at)
	}
	if is, err := os.Stat(cfg.HotKeys); err == nil && !is.Mode().IsRegular() {
		return fmt.Errorf("hot keys: %s is no file; expected one, or nothing there yet", cfg.HotKeys)
	}
	return nil
}

// ConfigError is what is wrong with a [Config] besides mistakes in the declaration:
// nothing was tried.
type ConfigError struct{ error }

// Unwrap returns what is wrong.
func (e ConfigError) Unwrap() error { return e.error }
