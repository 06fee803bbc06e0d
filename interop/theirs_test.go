package interop

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jjeffcaii/reactor-go/scheduler"
	rsocketgo "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"
	"github.com/rsocket/rsocket-go/rx/mono"
)

// connect begins a client by rsocket-go.
func connect(w *witness) rsocketgo.ClientBuilder {
	b := rsocketgo.Connect().Scheduler(scheduler.Parallel(), scheduler.Parallel())
	b.OnClose(func(error) { close(w.over) })
	b.Acceptor(func(context.Context, rsocketgo.RSocket) rsocketgo.RSocket { return goResponder(w) })
	return b
}

func dialGo(t *testing.T, address string, b rsocketgo.ClientBuilder) rsocketgo.Client {
	t.Helper()
	host := strings.TrimPrefix(address, "tcp://")
	client, err := b.Transport(rsocketgo.TCPClient().SetAddr(host).Build()).Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		quiet(t)
		within(t, "rsocket-go's client closes", client.Close)
	})
	return client
}

// setup is what a client declared.
type setup struct{ metadataMIME, dataMIME, metadata, data string }

// serveGo runs a server by rsocket-go and returns its address.
func serveGo(t *testing.T, accept func(setup, rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve := rsocketgo.Receive().Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		Acceptor(func(_ context.Context, p payload.SetupPayload, socket rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
			m := clone(p)
			return accept(setup{p.MetadataMimeType(), p.DataMimeType(), m.metadata, m.data}, socket)
		}).
		Transport(func(context.Context) (transport.ServerTransport, error) {
			return transport.NewTCPServerTransport(func(context.Context) (net.Listener, error) { return l, nil }), nil
		})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve.Serve(ctx) }()
	t.Cleanup(func() {
		quiet(t)
		cancel()
		take(t, "rsocket-go's server closes", ended)
	})
	return "tcp://" + l.Addr().String()
}

// clone copies a payload, which is rsocket-go's again when the callback returns.
func clone(p payload.Payload) message {
	metadata, _ := p.Metadata()
	return message{string(metadata), string(p.Data())}
}

// socket is what rsocket-go's clients and servers have in common.
type socket interface {
	rsocketgo.RSocket
	io.Closer
}

// goEnd is an end that rsocket-go plays.
type goEnd struct {
	*witness
	t      *testing.T
	socket socket
}

func (e *goEnd) call(p message) (message, error) {
	// Without a context: giving up a request that waits is not sound.
	reply, err := e.socket.RequestResponse(payload.New([]byte(p.data), []byte(p.metadata))).Block(context.Background())
	if err != nil {
		return message{}, err
	}
	return clone(reply), nil
}

func (e *goEnd) forget(p message) {
	e.socket.FireAndForget(payload.New([]byte(p.data), []byte(p.metadata)))
}

func (e *goEnd) list(request string) stream {
	return e.taking(newOutbox(nil), e.socket.RequestStream(payload.New([]byte(request), nil)))
}

func (e *goEnd) push(metadata string) { e.socket.MetadataPush(payload.New(nil, []byte(metadata))) }

func (e *goEnd) close() {
	quiet(e.t)
	_ = e.socket.Close()
}

func (e *goEnd) open(first string) stream {
	out := newOutbox(nil)
	out.put(first)
	return e.taking(out, e.socket.RequestChannel(out))
}

// taking is a stream whose items are taken one by one; out is what is sent on it.
func (e *goEnd) taking(out *outbox, in flux.Flux) stream {
	s := &goStream{out: out, items: make(chan string), over: make(chan error, 1), deaf: make(chan struct{})}
	e.t.Cleanup(func() { close(s.deaf) })
	receive(context.Background(), in, func(item string) {
		select {
		case s.items <- item: // waits: what is not taken costs the peer credit
		case <-s.deaf:
		}
	}, func(err error) {
		s.over <- err
		s.out.Cancel()
	})
	return s
}

type goStream struct {
	out   *outbox
	items chan string
	over  chan error    // why no more items come
	deaf  chan struct{} // closed when the test is over and nobody takes items any more
}

func (s *goStream) send(items ...string) { s.out.put(items...) }
func (s *goStream) complete()            { s.out.complete() }
func (s *goStream) sent() int            { return int(s.out.left.Load()) }

func (s *goStream) recv() (string, error) {
	select {
	case item := <-s.items:
		return item, nil
	case err := <-s.over:
		s.over <- err // for whoever asks again
		return "", err
	}
}

// receive takes what a flux brings, with a credit of window. over is told io.EOF
// when the flux is complete.
func receive(ctx context.Context, in flux.Flux, next func(item string), over func(error)) {
	var credit rx.Subscription
	taken := 0
	in.Subscribe(ctx,
		rx.OnSubscribe(func(_ context.Context, s rx.Subscription) {
			credit = s
			s.Request(window)
		}),
		rx.OnNext(func(p payload.Payload) error {
			next(clone(p).data)
			if taken++; taken == window/2 {
				taken = 0
				credit.Request(window / 2)
			}
			return nil
		}),
		rx.OnComplete(func() { over(io.EOF) }),
		rx.OnError(over),
	)
}

// goResponder is what rsocket-go's end answers.
func goResponder(w *witness) rsocketgo.RSocket {
	return rsocketgo.NewAbstractSocket(
		rsocketgo.MetadataPush(func(p payload.Payload) { w.pushed <- clone(p).metadata }),
		rsocketgo.RequestResponse(func(p payload.Payload) mono.Mono {
			request := clone(p)
			return newAnswer(func(ctx context.Context) (message, error) {
				switch request.data {
				case wordRefuse:
					return message{}, goError(refusal)
				case wordHang:
					w.hung <- struct{}{}
					<-ctx.Done()
					w.released <- struct{}{}
					return message{}, ctx.Err()
				}
				return request, nil
			})
		}),
		rsocketgo.FireAndForget(func(p payload.Payload) { w.forgot <- clone(p) }),
		rsocketgo.RequestStream(func(p payload.Payload) flux.Flux {
			out := newOutbox(func() { w.released <- struct{}{} })
			out.left = &w.replied
			switch request := clone(p).data; request {
			case wordRefuse:
				out.fail(goError(refusal))
			case wordHang:
				w.hung <- struct{}{}
			default:
				out.put(listed(request)...)
				out.complete()
			}
			return out
		}),
		rsocketgo.RequestChannel(func(in flux.Flux) flux.Flux {
			c := &goChannel{w: w}
			c.out = newOutbox(c.canceled)
			c.out.left = &w.replied
			receive(context.Background(), in, c.next, c.over)
			return c.out
		}),
	)
}

// goChannel is the responder's side of a channel.
type goChannel struct {
	w     *witness
	out   *outbox
	begun bool // used by next only
}

func (c *goChannel) next(item string) {
	first := !c.begun
	c.begun = true
	switch {
	case first && item == wordRefuse:
		c.out.fail(goError(refusal)) // a responder may
		return
	case first && item == wordHang:
		c.w.hung <- struct{}{}
		return
	case first && item == wordGate:
		<-c.w.gate
	}
	c.out.put(item)
}

func (c *goChannel) over(err error) {
	if errors.Is(err, io.EOF) {
		c.out.complete()
	} // otherwise the connection was lost, and rsocket-go cancels the outbox
}

func (c *goChannel) canceled() { c.w.released <- struct{}{} }

// goError is an error of which rsocket-go sends code and text.
type goError refused

func (e goError) Error() string                  { return refused(e).String() }
func (e goError) ErrorCode() rsocketgo.ErrorCode { return rsocketgo.ErrorCode(e.code) }
func (e goError) ErrorData() []byte              { return []byte(e.text) }
