package contender

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jjeffcaii/reactor-go/scheduler"
	rsocketgo "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/logger"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"

	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket/composite"
)

// dialRSocketGo takes turns among the addresses that can be had.
func dialRSocketGo(ctx context.Context, addresses []string, _ Load) (Client, error) {
	logger.SetLogger(nil)
	lines := make([]*rsocketGoLine, len(addresses))
	for i, a := range addresses {
		lines[i] = &rsocketGoLine{address: a}
		if err := lines[i].open(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		go lines[i].keep(ctx)
	}
	var turn atomic.Uint64
	return OneByOne(func(_ context.Context, sealed []byte) (Asker, error) {
		auth, err := composite.AppendBearer(nil, string(sealed))
		if err != nil {
			return nil, err
		}
		first := turn.Add(1)
		for i := range uint64(len(lines)) {
			if socket := lines[(first+i)%uint64(len(lines))].socket.Load(); socket != nil {
				return &rsocketGoAsker{*socket, auth}, nil
			}
		}
		return nil, errors.New("no edge is connected")
	}), nil
}

// rsocketGoLine is a connection to one address, which rsocket-go doesn't open again
// by itself.
type rsocketGoLine struct {
	address string
	socket  atomic.Pointer[rsocketgo.Client] // nil while there is none
	gone    chan struct{}                    // closed when it is; used by who opens it
}

func (l *rsocketGoLine) open(ctx context.Context) error {
	gone := make(chan struct{})
	over := sync.OnceFunc(func() { close(gone) })
	socket, err := rsocketgo.Connect().
		MetadataMimeType(composite.MIME).
		DataMimeType(protocol.MIMEMsgPack).
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		OnClose(func(error) { over() }).
		Transport(rsocketgo.TCPClient().SetAddr(l.address).Build()).
		Start(ctx)
	if err != nil {
		return err
	}
	l.gone = gone
	l.socket.Store(&socket)
	return nil
}

func (l *rsocketGoLine) keep(ctx context.Context) {
	for {
		select {
		case <-l.gone:
		case <-ctx.Done():
			return
		}
		l.socket.Store(nil)
		for l.open(ctx) != nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return
			}
		}
	}
}

type rsocketGoAsker struct {
	socket rsocketgo.Client
	auth   []byte // the entry of the metadata that has the passport
}

func (*rsocketGoAsker) Close() {}

func (a *rsocketGoAsker) Profile(ctx context.Context) (service.Profile, error) {
	return askRSocketGo[service.Profile](ctx, a, routeProfile, nil)
}

func (a *rsocketGoAsker) Row(ctx context.Context, of tier.RowOf) (service.Recommendations, error) {
	return askRSocketGo[service.Recommendations](ctx, a, routeRow, of)
}

func (a *rsocketGoAsker) Films(ctx context.Context, ids []int) (service.Videos2, error) {
	return askRSocketGo[service.Videos2](ctx, a, routeFilms, service.VideosByID{IDs: ids})
}

func (a *rsocketGoAsker) Ratings(ctx context.Context, ids []int) (service.Ratings, error) {
	return askRSocketGo[service.Ratings](ctx, a, routeRatings, service.RatingsOf{IDs: ids})
}

func (a *rsocketGoAsker) Next(ctx context.Context, n int) (int, error) {
	next, err := askRSocketGo[tier.Number](ctx, a, routeNext, tier.Number{N: n})
	return next.N, err
}

func askRSocketGo[Out any](ctx context.Context, a *rsocketGoAsker, route string, in any) (out Out, err error) {
	var data []byte
	if in != nil {
		if data, err = marshalMsgPack(in); err != nil {
			return out, err
		}
	}
	metadata := composite.AppendRoute(make([]byte, 0, len(a.auth)+len(route)+8), route)
	c := &rsocketGoCall[Out]{done: make(chan struct{})}
	// rsocket-go is not told when ctx ends: to give up a request that waits is not
	// sound. It waits on, and this does not.
	a.socket.RequestResponse(payload.New(data, append(metadata, a.auth...))).SubscribeWith(context.Background(), c)
	select {
	case <-c.done:
		return c.out, c.err
	case <-ctx.Done():
		return out, ctx.Err()
	}
}

// rsocketGoCall takes the answer to one request, and decodes it where it stands: it
// is the library's again when OnNext has returned.
type rsocketGoCall[Out any] struct {
	done chan struct{} // closed when out and err are set
	out  Out
	err  error
}

func (c *rsocketGoCall[Out]) OnSubscribe(_ context.Context, s rx.Subscription) {
	s.Request(rx.RequestMax) // returns when all is over
}

func (c *rsocketGoCall[Out]) OnNext(answer payload.Payload) {
	c.err = protocol.MsgPack.Unmarshal(answer.Data(), &c.out)
}

func (c *rsocketGoCall[Out]) OnError(err error) {
	c.err = err
	close(c.done)
}

func (c *rsocketGoCall[Out]) OnComplete() { close(c.done) }
