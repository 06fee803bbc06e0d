package contender

import (
	"context"
	"net"

	"github.com/jjeffcaii/reactor-go/scheduler"
	rsocketgo "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/logger"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/mono"
)

// Package warmline.dev/interop says what of rsocket-go is sound. This keeps to it.

func serveRSocketGo(l net.Listener, _ Load) error {
	logger.SetLogger(nil) // it warns of every connection that ends
	echo := rsocketgo.NewAbstractSocket(rsocketgo.RequestResponse(func(request payload.Payload) mono.Mono {
		// A copy: the request is the library's again when this has returned.
		return &rsocketGoReply{mono.Empty(), payload.Clone(request)}
	}))
	return rsocketgo.Receive().
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		Acceptor(func(context.Context, payload.SetupPayload, rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
			return echo, nil
		}).
		Transport(func(context.Context) (transport.ServerTransport, error) {
			return transport.NewTCPServerTransport(func(context.Context) (net.Listener, error) { return l, nil }), nil
		}).
		Serve(context.Background())
}

// rsocketGoReply is a mono that has its value.
type rsocketGoReply struct {
	mono.Mono // empty; rsocket-go calls only what is overridden here
	reply     payload.Payload
}

func (r *rsocketGoReply) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	s.OnSubscribe(context.WithoutCancel(ctx), rsocketGoDemand{})
	s.OnNext(r.reply)
	s.OnComplete()
}

// rsocketGoDemand is the subscription to a reply, which is there already.
type rsocketGoDemand struct{}

func (rsocketGoDemand) Request(int) {}
func (rsocketGoDemand) Cancel()     {}

func dialRSocketGo(ctx context.Context, address string, load Load) (Client, error) {
	logger.SetLogger(nil)
	conn, err := rsocketgo.Connect().
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		Transport(rsocketgo.TCPClient().SetAddr(address).Build()).
		Start(ctx)
	if err != nil {
		return Client{}, err
	}
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		lanes[i] = func(ctx context.Context, request []byte) ([]byte, error) {
			reply, err := conn.RequestResponse(payload.New(request, nil)).Block(ctx)
			if err != nil {
				return nil, err
			}
			return reply.Data(), nil
		}
	}
	return Client{Lanes: lanes}, nil
}
