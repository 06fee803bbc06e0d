package interop

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	rsocketgo "github.com/rsocket/rsocket-go"

	"warmline.dev/protocol/rsocket"
)

// end is one end of a connection, whichever library plays it. Both answer alike:
// what comes is sent back as it came, but for the words below.
type end interface {
	call(p message) (message, error)
	forget(p message)
	list(request string) stream // a request-stream: the items that listed gives for the request
	open(first string) stream
	push(metadata string)
	close() // goes away at once
	seen() *witness
}

// stream is the requester's side of a channel.
type stream interface {
	send(items ...string)  // queues them; they leave as credit comes
	complete()             // behind what is queued
	sent() int             // how many have left, the first one included
	recv() (string, error) // io.EOF is the regular end
}

// The data of a request, or of a channel's first item, that is not just echoed.
const (
	wordRefuse = "refuse" // fails with refusal
	wordHang   = "hang"   // is never answered
	wordGate   = "gate"   // the channel is echoed, but nothing more is taken before witness.gate is closed
)

var refusal = refused{0x305, "who is asking?"}

// window is the credit that either end gives.
const window = 8

// message is a payload.
type message struct{ metadata, data string }

// witness is what an end saw of the requests that came to it.
type witness struct {
	pushed   chan string   // metadata for the connection
	forgot   chan message  // fire-and-forget
	hung     chan struct{} // a request hangs
	released chan struct{} // its handler was told to stop
	gate     chan struct{}
	replied  atomic.Int64  // items that left on channels
	over     chan struct{} // closed when rsocket-go's end has closed
}

func newWitness() *witness {
	return &witness{
		pushed: make(chan string, 16), forgot: make(chan message, 64), hung: make(chan struct{}, 16),
		released: make(chan struct{}, 16), gate: make(chan struct{}), over: make(chan struct{}),
	}
}

func (w *witness) seen() *witness { return w }

// refused is an ERROR frame as either library tells it.
type refused struct {
	code uint32
	text string
}

func (r refused) String() string { return fmt.Sprintf("0x%X %q", r.code, r.text) }

// told is the ERROR frame behind an error; the zero value if there was none.
func told(err error) refused {
	if e, ok := errors.AsType[*rsocket.Error](err); ok && e.Remote {
		return refused{uint32(e.Code), e.Message}
	}
	if e, ok := errors.AsType[rsocketgo.Error](err); ok {
		return refused{uint32(e.ErrorCode()), string(e.ErrorData())}
	}
	return refused{}
}

// each runs a test four times: rsocket-go is the client or the server, and
// either end asks.
func each(t *testing.T, f func(t *testing.T, asks, answers end)) {
	for name, dial := range map[string]func(t *testing.T) (client, server end){
		"rsocket-go dials": goDials,
		"we dial":          weDial,
	} {
		t.Run(name+", the client asks", func(t *testing.T) {
			client, server := dial(t)
			f(t, client, server)
		})
		t.Run(name+", the server asks", func(t *testing.T) {
			client, server := dial(t)
			f(t, server, client)
		})
	}
}

// weAsk runs a test twice: our end asks, as the client and as the server.
func weAsk(t *testing.T, f func(t *testing.T, ours *ourEnd, answers end)) {
	t.Run("rsocket-go dials", func(t *testing.T) {
		client, server := goDials(t)
		f(t, server.(*ourEnd), client)
	})
	t.Run("we dial", func(t *testing.T) {
		client, server := weDial(t)
		f(t, client.(*ourEnd), server)
	})
}

// goDials connects a client by rsocket-go to our server.
func goDials(t *testing.T) (client, server end) {
	ours := newWitness()
	conns := make(chan *rsocket.Conn, 1)
	address := serveOurs(t, func(conn *rsocket.Conn) (rsocket.Handler, error) {
		conns <- conn
		return ourHandler(ours), nil
	})
	theirs := newWitness()
	socket := dialGo(t, address, connect(theirs))
	return &goEnd{theirs, t, socket}, &ourEnd{ours, take(t, "a connection", conns)}
}

// weDial connects our client to a server by rsocket-go.
func weDial(t *testing.T) (client, server end) {
	theirs := newWitness()
	sockets := make(chan rsocketgo.CloseableRSocket, 1)
	address := serveGo(t, func(_ setup, socket rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
		socket.OnClose(func(error) { close(theirs.over) })
		sockets <- socket
		return goResponder(theirs), nil
	})
	ours := newWitness()
	conn := dialOurs(t, address, ourHandler(ours), rsocket.Setup{})
	return &ourEnd{ours, conn}, &goEnd{theirs, t, take(t, "a connection", sockets)}
}
