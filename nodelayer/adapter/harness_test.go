package adapter_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// byHand is a gateway played by hand.
type byHand struct {
	*rsocket.Server
	t      testing.TB
	addr   string
	lines  chan *rsocket.Conn // as adapters open them
	refuse atomic.Bool        // whether setups are refused
}

const anyPort = "tcp://127.0.0.1:0"

func play(t testing.TB, address string) *byHand {
	t.Helper()
	g := &byHand{t: t, lines: make(chan *rsocket.Conn, 100)}
	var err error
	g.Server, err = rsocket.NewServer(func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
		if g.refuse.Load() {
			return rsocket.Handler{}, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: "not you"}
		}
		g.lines <- c
		return rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			data, err := protocol.MsgPack.Marshal(protocol.Welcome{Name: "gateway", Version: "1.0.0", Protocol: protocol.Version})
			return rsocket.Payload{Data: data}, err
		}}, nil
	}, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var l net.Listener
	await.Until(t, "the port "+address, func() bool {
		l, err = rsocket.Listen(context.Background(), address)
		return err == nil
	})
	g.addr = "tcp://" + l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(l) }()
	t.Cleanup(func() {
		_ = g.Close()
		<-ended
	})
	return g
}

// line is the next line that an adapter opens.
func (g *byHand) line() *line {
	g.t.Helper()
	return &line{g.t, await.Value(g.t, "an adapter's line", g.lines)}
}

// line is a gateway's end of an adapter's line.
type line struct {
	t    testing.TB
	conn *rsocket.Conn
}

// get sends a device request for a path.
func (l *line) get(path string) protocol.DeviceResponse {
	l.t.Helper()
	answer, _ := l.send(protocol.Metadata{}, protocol.DeviceRequest{Method: "GET", Path: path})
	return answer
}

func (l *line) send(md protocol.Metadata, in protocol.DeviceRequest) (protocol.DeviceResponse, protocol.Metadata) {
	l.t.Helper()
	answer, back, err := l.try(await.Context(l.t), md, in)
	if err != nil {
		l.t.Fatalf("%s %s: %v", in.Method, in.Path, err)
	}
	return answer, back
}

func (l *line) try(ctx context.Context, md protocol.Metadata, in protocol.DeviceRequest) (out protocol.DeviceResponse, back protocol.Metadata, err error) {
	data, err := protocol.MsgPack.Marshal(&in)
	if err != nil {
		return out, back, err
	}
	md.Route = protocol.RouteDevice
	reply, err := l.conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: data})
	if err != nil {
		return out, back, err
	}
	if back, err = protocol.ParseMetadata(reply.Metadata); err == nil {
		err = protocol.MsgPack.Unmarshal(reply.Data, &out)
	}
	return out, back, err
}

// want compares an answer's status and body, in which … stands for any text.
func (l *line) want(path string, status int, body string) {
	l.t.Helper()
	wantAnswer(l.t, path, l.get(path), status, body)
}

func wantAnswer(t testing.TB, what string, got protocol.DeviceResponse, status int, body string) {
	t.Helper()
	if text := strings.TrimSuffix(string(got.Body), "\n"); got.Status != status || !wildcard.Match(text, body) {
		t.Errorf("%s\n got %d %s\nwant %d %s", what, got.Status, text, status, body)
	}
}

// serve offers an adapter to a gateway and returns the gateway's end of its line.
func serve(t testing.TB, h http.Handler) *line {
	t.Helper()
	return serveWith(t, adapter.Config{Handler: h})
}

func serveWith(t testing.TB, cfg adapter.Config) *line {
	t.Helper()
	g := play(t, anyPort)
	cfg.Gateways = []string{g.addr}
	start(t, cfg)
	return g.line()
}

func start(t testing.TB, cfg adapter.Config) *adapter.Server {
	t.Helper()
	cfg.Name, cfg.Version = "tv", "2.0.0"
	s, err := adapter.Serve(await.Context(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(ended()) })
	return s
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// text answers every request with the same text.
func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) })
}
