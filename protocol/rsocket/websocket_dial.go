package rsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// dialWebSocket makes the dialling side of a WebSocket of nc, which it closes if
// it fails.
func dialWebSocket(ctx context.Context, nc net.Conn, a address) (net.Conn, error) {
	w := &wire{Conn: nc}
	take := func(context.Context, string, string) (net.Conn, error) { return w, nil }
	d := websocket.Dialer{
		NetDialContext: take, NetDialTLSContext: take,
		Subprotocols: []string{subprotocol}, WriteBufferPool: &idleBuffers,
	}
	// The dialer looks at the deadline of ctx only.
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) }) // an error means that it is over
	ws, resp, err := d.DialContext(ctx, a.url.String(), nil)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	if err == nil {
		return w.open(ws, true), nil
	}
	_ = nc.Close() // the first error is the one to tell
	if resp != nil && errors.Is(err, websocket.ErrBadHandshake) {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // a word, if there is one
		return nil, fmt.Errorf("rsocket: %s: the server answered %q %q, expected a WebSocket", a.text, resp.Status, strings.TrimSpace(string(b)))
	}
	return nil, fmt.Errorf("rsocket: %s: %w", a.text, err)
}
