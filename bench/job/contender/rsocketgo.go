package contender

import (
	"context"
	"fmt"
	"net"

	"github.com/jjeffcaii/reactor-go/scheduler"
	rsocketgo "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/logger"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/mono"

	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket/composite"
)

// Package warmline.dev/interop says what of rsocket-go is sound. This keeps to it.

// Routes of the questions.
const (
	routeProfile = "profiles.current"
	routeRow     = "recommendations.row"
	routeFilms   = "catalogue.films"
	routeRatings = "ratings.of"
	routeNext    = "numbers.next"
)

// It stops at once: there is no way to let what is under way finish.
func serveRSocketGo(ctx context.Context, l net.Listener, t *tier.Tier) error {
	logger.SetLogger(nil) // it warns of every connection that ends
	edge := rsocketgo.NewAbstractSocket(rsocketgo.RequestResponse(func(request payload.Payload) mono.Mono {
		return &rsocketGoAnswer{mono.Empty(), t, request}
	}))
	err := rsocketgo.Receive().
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		Acceptor(func(context.Context, payload.SetupPayload, rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
			return edge, nil
		}).
		Transport(func(context.Context) (transport.ServerTransport, error) {
			return transport.NewTCPServerTransport(func(context.Context) (net.Listener, error) { return l, nil }), nil
		}).
		Serve(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// rsocketGoAnswer is a mono that answers when it is subscribed to, on a goroutine
// that rsocket-go starts for it. The request is valid until it has.
type rsocketGoAnswer struct {
	mono.Mono // empty; rsocket-go calls only what is overridden here
	t         *tier.Tier
	request   payload.Payload
}

func (a *rsocketGoAnswer) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	s.OnSubscribe(context.WithoutCancel(ctx), rsocketGoDemand{})
	b, err := a.answer(ctx)
	if err != nil {
		s.OnError(err)
		return
	}
	s.OnNext(payload.New(b, nil))
	s.OnComplete()
}

// rsocketGoDemand is the subscription to an answer. A client that gives up ends
// nothing: to end it and to answer at once is what rsocket-go gets wrong.
type rsocketGoDemand struct{}

func (rsocketGoDemand) Request(int) {}
func (rsocketGoDemand) Cancel()     {}

func (a *rsocketGoAnswer) answer(ctx context.Context) ([]byte, error) {
	route, who, err := a.open()
	if err != nil {
		return nil, err
	}
	switch route {
	case routeProfile:
		return a.t.Profile(ctx, who)
	case routeRow:
		of, err := arguments[tier.RowOf](a)
		if err != nil {
			return nil, err
		}
		return a.t.Row(ctx, who, of)
	case routeFilms:
		of, err := arguments[service.VideosByID](a)
		if err != nil {
			return nil, err
		}
		parts, err := a.t.Films(ctx, of.IDs)
		return rawList("videos", parts), err
	case routeRatings:
		of, err := arguments[service.RatingsOf](a)
		if err != nil {
			return nil, err
		}
		parts, err := a.t.Ratings(ctx, who, of.IDs)
		return rawList("ratings", parts), err
	case routeNext:
		n, err := arguments[tier.Number](a)
		if err != nil {
			return nil, err
		}
		return marshalMsgPack(tier.Number{N: n.N + 1})
	}
	return nil, fmt.Errorf("no route %q", route)
}

func arguments[In any](a *rsocketGoAnswer) (in In, err error) {
	err = protocol.MsgPack.Unmarshal(a.request.Data(), &in)
	return in, err
}

// open reads the metadata: the route, and the passport as a bearer's token.
func (a *rsocketGoAnswer) open() (route string, who passport.Passport, err error) {
	metadata, _ := a.request.Metadata()
	var token []byte
	for e, err := range composite.All(metadata) {
		if err != nil {
			return "", who, err
		}
		switch e.MIME {
		case composite.Routing:
			if route, err = composite.Route(e.Data); err != nil {
				return "", who, err
			}
		case composite.Authentication:
			auth, err := composite.ParseAuth(e.Data)
			if err != nil {
				return "", who, err
			}
			token = auth.Token
		}
	}
	who, err = a.t.Open(token)
	return route, who, err
}
