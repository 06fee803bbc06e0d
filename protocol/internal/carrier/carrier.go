package carrier

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"
)

// FrameTooLong is the error for a frame that is longer than this side takes: the
// carrier can't be followed any further.
type FrameTooLong struct{ Size, Limit int }

func (e FrameTooLong) Error() string {
	return fmt.Sprintf("a frame of %d bytes is announced, at most %d are taken", e.Size, e.Limit)
}

// Bound gives a net.Conn or a net.Listener that has limits of its own, as those
// of WebSocket do, the ones of a Config: package rsocket's, which this package
// can't import.
func Bound[Config any](what any, cfg Config) {
	if b, ok := what.(interface{ Bound(cfg Config) }); ok {
		b.Bound(cfg)
	}
}

// Handshake carries out the TLS handshake of nc, if there is one to carry out,
// within so long; not positive: for ever. It closes nc if it fails.
func Handshake(ctx context.Context, nc net.Conn, within time.Duration) error {
	t, ok := nc.(interface {
		HandshakeContext(ctx context.Context) error
	})
	if !ok {
		return nil
	}
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	return nil
}

// TLS is what the handshake of nc, or of what it is made of, agreed on; nil
// without TLS. A handshake that is under way is waited for.
func TLS(nc net.Conn) *tls.ConnectionState {
	switch nc := nc.(type) {
	case interface{ ConnectionState() tls.ConnectionState }:
		state := nc.ConnectionState()
		return &state
	case interface{ NetConn() net.Conn }:
		return TLS(nc.NetConn())
	}
	return nil
}

// Linger reads what the peer still sends, for a bounded time and size: closing
// a socket with unread bytes resets it, and the peer would lose the last frames
// that it was sent.
func Linger(nc net.Conn, patience time.Duration) {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, io.LimitReader(nc, 1<<20)) // whatever ends it ends it
}
