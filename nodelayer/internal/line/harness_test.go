package line_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// peer is who is dialled, played by hand.
type peer struct {
	*rsocket.Server
	addr    string
	conns   chan *rsocket.Conn // those that were taken
	refuse  atomic.Bool        // whether setups are refused from now on
	refused atomic.Int64       // setups that were
}

const anyPort = "tcp://127.0.0.1:0"

// play answers warmline.setup, and what else is asked with h.
func play(t testing.TB, address string, h rsocket.Handler) *peer {
	t.Helper()
	answer := h.Response
	h.Response = func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		md, err := protocol.ParseMetadata(p.Metadata)
		if err != nil {
			return rsocket.Payload{}, err
		}
		if md.Route != protocol.RouteSetup {
			return answer(ctx, p)
		}
		data, err := protocol.MsgPack.Marshal(protocol.Welcome{Name: "peer", Version: "4.5.6", Protocol: protocol.Version, Resolved: map[string]string{"films": "2.1.3"}})
		return rsocket.Payload{Data: data}, err
	}
	p := &peer{conns: make(chan *rsocket.Conn, 100)}
	return p.serve(t, address, func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
		if p.refuse.Load() {
			p.refused.Add(1)
			return rsocket.Handler{}, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: "not now"}
		}
		p.conns <- c
		return h, nil
	})
}

func (p *peer) serve(t testing.TB, address string, accept rsocket.Acceptor) *peer {
	t.Helper()
	var err error
	if p.Server, err = rsocket.NewServer(accept, rsocket.Config{}); err != nil {
		t.Fatal(err)
	}
	var l net.Listener
	await.Until(t, "the port "+address, func() bool {
		l, err = rsocket.Listen(context.Background(), address)
		return err == nil
	})
	p.addr = "tcp://" + l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(l) }()
	t.Cleanup(func() {
		_ = p.Close()
		<-ended
	})
	return p
}

// nobody is an address where nobody listens.
func nobody(t testing.TB) string {
	t.Helper()
	p := play(t, anyPort, rsocket.Handler{})
	_ = p.Close()
	return p.addr
}

func keep(t testing.TB, target line.Target) *line.Keeper {
	t.Helper()
	k, err := line.Keep(await.Context(t), target, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Shutdown(ended()) })
	return k
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// running reports whether a goroutine is inside the function.
func running(function string) bool {
	buf := make([]byte, 1<<20)
	return strings.Contains(string(buf[:runtime.Stack(buf, true)]), function+"(")
}
