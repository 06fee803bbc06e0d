package contender

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Contender is one way of asking a server.
type Contender struct {
	Name     string // as flags and tables have it
	Settings string // what was chosen and is not the default, for the reader of a table
	Module   string // path of the module whose version matters; empty: Go's own library

	// Serve echoes what clients send, to any number of connections. It returns
	// only if it can't.
	Serve func(l net.Listener, load Load) error

	// Dial connects to a server of the same contender. ctx binds what it opens
	// too, and does not end before the measurement has.
	Dial func(ctx context.Context, address string, load Load) (Client, error)
}

// Load is what a measurement puts on a contender. Both sides know it, so that
// they can size windows and buffers for it.
type Load struct {
	InFlight int `json:"in_flight"`     // requests under way at any time
	Payload  int `json:"payload_bytes"` // of each request and each reply
}

// bytes is what may be under way in one direction, with room for framing.
func (l Load) bytes() int { return l.InFlight * (l.Payload + 64) }

// Client is the dialling side: either as many lanes as are to be in flight, or
// one stream that carries all of them.
type Client struct {
	Lanes  []Lane
	Stream Stream
}

// Lane sends one request and returns its reply. One goroutine uses it at a time.
// The reply is valid until the next call; the request is not changed before the
// call has returned.
type Lane func(ctx context.Context, request []byte) (reply []byte, err error)

// Stream keeps several requests under way; replies come in the order of the
// requests. One goroutine uses it.
type Stream interface {
	// Send takes a copy of the request. It may keep it back until Recv is called.
	Send(ctx context.Context, request []byte) error
	// Recv returns the next reply, which is valid until the next call.
	Recv(ctx context.Context) (reply []byte, err error)
}

// All returns every contender, in the order of the tables.
func All() []Contender {
	const warmline, grpc = "warmline.dev", "google.golang.org/grpc"
	return []Contender{
		{
			Name: "tcp", Serve: serveTCP, Dial: dialTCP,
			Settings: "raw TCP ping-pong: 4-byte length and payload in one write, a connection for each in flight",
		},
		{
			Name: "tcp-pipelined", Serve: servePipelined, Dial: dialPipelined,
			Settings: "the limit: one raw TCP connection, all requests in flight on it, 64 KiB buffered on both sides",
		},
		{
			Name: "http1", Serve: serveHTTP1, Dial: dialHTTP1,
			Settings: "net/http keep-alive, POST, as many connections as requests in flight, Content-Length set, pooled bodies",
		},
		{
			Name: "grpc-unary", Module: grpc, Serve: serveGRPC, Dial: dialGRPCUnary,
			Settings: "one connection, raw-bytes codec with pooled buffers, static windows, a stream worker for each core",
		},
		{
			Name: "grpc-bidi", Module: grpc, Serve: serveGRPC, Dial: dialGRPCBidi,
			Settings: "one bidirectional stream with all requests in flight on it, raw-bytes codec with pooled buffers, static windows",
		},
		{
			Name: "rsocket-go", Module: "github.com/rsocket/rsocket-go", Serve: serveRSocketGo, Dial: dialRSocketGo,
			Settings: "one connection, request-response, one scheduler for all connections, a mono of its own for replies",
		},
		{
			Name: "warmline", Module: warmline, Serve: serveWarmline, Dial: dialWarmline,
			Settings: "one connection, request-response (Conn.Call)",
		},
		{
			Name: "warmline-channel", Module: warmline, Serve: serveWarmline, Dial: dialWarmlineChannel,
			Settings: "one request-channel, all messages in flight on it, a window of twice as many",
		},
		{
			Name: "warmline-each", Module: warmline, Serve: serveWarmline, Dial: dialWarmlineEach,
			Settings: "request-response, a connection for each in flight, to be compared with tcp",
		},
	}
}

// Names are the names of all.
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the contender of that name, or an error that tells which there are.
func Find(name string) (Contender, error) {
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	return Contender{}, fmt.Errorf("no contender %q: there are %s", name, strings.Join(Names(), ", "))
}
