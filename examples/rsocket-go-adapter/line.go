package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/jjeffcaii/reactor-go/scheduler"
	"github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/vmihailenco/msgpack/v5"
)

// greeting is how long a peer may take to accept a connection, and then to say
// what was agreed.
const greeting = 5 * time.Second

// line is one negotiated connection, to an edge or to a gateway.
type line struct {
	peer, address string
	client        rsocket.Client
	welcome       welcome
	asked         func() // the first question is on its way: what the peer says may be read

	lost   chan struct{} // closed when the line has ended
	reason error         // why, if that is known; read after lost
}

// dial connects to tcp://HOST:PORT or tls://HOST:PORT, says hello in SETUP and asks
// what came of it. What the peer asks on the line goes to responder, if there is one.
func dial(ctx context.Context, peer, address string, h hello, who proof, responder rsocket.RSocket) (*line, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "tls" || u.Port() == "" {
		return nil, fmt.Errorf("the %s's address %q: expected tcp://HOST:PORT or tls://HOST:PORT", peer, address)
	}
	data, err := msgpack.Marshal(h)
	if err != nil {
		return nil, err
	}
	if responder == nil {
		responder = rsocket.NewAbstractSocket()
	}
	// A setup that is refused ends the line, and then rsocket-go closes its queue
	// under whoever puts something in: nothing is read before greet has done so.
	asked := make(chan struct{})
	l := &line{peer: peer, address: address, asked: sync.OnceFunc(func() { close(asked) }), lost: make(chan struct{})}
	// The client's own context does not end: rsocket-go would drop what it has
	// still to write. close ends it.
	l.client, err = rsocket.Connect().
		DataMimeType(mimeMsgPack).
		MetadataMimeType(mimeComposite).
		SetupPayload(payload.New(data, who.metadata())).
		KeepAlive(10*time.Second, 10*time.Second, 3). // every 10 s; lost after 30 s without
		// Its default is a pool for each connection, and a request that comes as
		// the pool closes panics. This one starts plain goroutines.
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		OnClose(func(err error) {
			l.reason = err
			close(l.lost)
		}).
		Acceptor(func(context.Context, rsocket.RSocket) rsocket.RSocket { return responder }).
		Transport(func(context.Context) (*transport.Transport, error) {
			d := net.Dialer{Timeout: greeting}
			conn, err := d.DialContext(ctx, "tcp", u.Host)
			if err == nil {
				conn, err = who.secure(ctx, conn, u.Scheme, u.Hostname())
			}
			if err != nil {
				return nil, err
			}
			return transport.NewTCPClientTransport(guard(conn, asked)), nil
		}).
		Start(context.Background())
	if err != nil {
		l.asked()
		return nil, fmt.Errorf("no line to the %s at %s: %w", peer, address, err)
	}
	if err := l.greet(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// settle returns when all that this side has sent is with the peer: frames go
// out in order, so it has it when it answers one more question.
func (l *line) settle() { _ = l.greet(context.Background()) } // a line that was lost is settled too

// greet asks the route warmline.setup. A setup that was refused shows here: the
// line has ended, and says why.
func (l *line) greet(ctx context.Context) error {
	type result struct {
		reply payload.Payload
		err   error
	}
	done := make(chan result, 1)
	go func() {
		question := payload.New(nil, metadata{route: "warmline.setup"}.encode())
		// Without a deadline of its own: rsocket-go never lets go of a request that
		// was given up. It fails when the line is closed.
		reply := l.client.RequestResponse(question)
		l.asked()
		p, err := reply.Block(context.Background())
		done <- result{p, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return l.refused(r.err)
		}
		if err := decode(r.reply.Data(), &l.welcome); err != nil {
			return fmt.Errorf("%s: the answer to warmline.setup: %w", l, err)
		}
		return nil
	case <-time.After(greeting):
		return fmt.Errorf("%s did not answer warmline.setup within %v", l, greeting)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refused makes an error of the first request's. When SETUP was refused the
// request only fails because the line ended; why is what the line was told.
func (l *line) refused(err error) error {
	if _, ok := errors.AsType[rsocket.Error](err); !ok {
		select {
		case <-l.lost:
			if l.reason != nil {
				err = l.reason
			}
		case <-time.After(time.Second):
		}
	}
	if e, ok := errors.AsType[rsocket.Error](err); ok {
		return fmt.Errorf("%s refused the line (%s): %s", l, e.ErrorCode(), refusal(e.ErrorData()))
	}
	return fmt.Errorf("%s: %w", l, err)
}

// lostError says that the line has ended, and why if that is known.
func (l *line) lostError() error {
	if l.reason == nil {
		return fmt.Errorf("the line to %s was lost", l)
	}
	return fmt.Errorf("the line to %s was lost: %w", l, l.reason)
}

// close ends the line at once. Nothing may be under way on it: rsocket-go panics
// if items of a channel arrive meanwhile.
func (l *line) close() { _ = l.client.Close() }

// String is "edge tcp://127.0.0.1:7070".
func (l *line) String() string { return l.peer + " " + l.address }
