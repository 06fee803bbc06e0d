package edge

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/passport"
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
	// Admin is the address for operators. Empty: none.
	Admin string
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

// check says what is wrong with the addresses.
func (cfg Config) check() error {
	for _, peer := range cfg.Peers {
		if err := rsocket.CheckAddress(strings.TrimPrefix(peer, "dns+")); err != nil {
			return fmt.Errorf("the address of another edge: %w", err)
		}
	}
	return bus.Check(cfg.Bus)
}

// ConfigError is what is wrong with a [Config] besides mistakes in the declaration:
// nothing was tried.
type ConfigError struct{ error }

// Unwrap returns what is wrong.
func (e ConfigError) Unwrap() error { return e.error }
