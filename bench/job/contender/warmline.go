package contender

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/bench/tier"
	"warmline.dev/edgelayer"
	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func marshalMsgPack(v any) ([]byte, error) { return protocol.MsgPack.Marshal(v) }

func serveWarmline(ctx context.Context, l net.Listener, t *tier.Tier) error {
	srv, err := edgelayer.New(edgelayer.Config{
		Services: services(t), Keys: t.Keys,
		MaxBudget: time.Hour, // of conversations that are held
		RSocket:   rsocket.Config{MaxStreams: MaxHeld + 1000},
	})
	if err != nil {
		return err
	}
	return until(ctx, func() error { return srv.Serve(l) }, srv.Shutdown)
}

// services are the questions as an edge offers them: what is in memory is answered
// at once, as what an edge's configuration declares is.
func services(t *tier.Tier) []edgelayer.Service {
	type none struct{}
	return []edgelayer.Service{
		{Name: "profiles", Version: "1.0.0", Methods: []edgelayer.Method{
			question("current", true, func(ctx context.Context, who passport.Passport, _ none) (protocol.Raw, bool, error) {
				b, ok, err := t.PeekProfile(ctx, who)
				return b, ok, err
			}, func(ctx context.Context, who passport.Passport, _ none) (protocol.Raw, error) {
				b, err := t.Profile(ctx, who)
				return b, err
			}),
		}},
		{Name: "recommendations", Version: "1.0.0", Methods: []edgelayer.Method{
			question("row", true, func(ctx context.Context, who passport.Passport, of tier.RowOf) (protocol.Raw, bool, error) {
				b, ok, err := t.PeekRow(ctx, who, of)
				return b, ok, err
			}, func(ctx context.Context, who passport.Passport, of tier.RowOf) (protocol.Raw, error) {
				b, err := t.Row(ctx, who, of)
				return b, err
			}),
		}},
		{Name: "catalogue", Version: "2.0.0", Methods: []edgelayer.Method{
			question("films", false, func(ctx context.Context, _ passport.Passport, of service.VideosByID) (protocol.Raw, bool, error) {
				parts, ok, err := t.PeekFilms(ctx, of.IDs)
				return rawList("videos", parts), ok, err
			}, func(ctx context.Context, _ passport.Passport, of service.VideosByID) (protocol.Raw, error) {
				parts, err := t.Films(ctx, of.IDs)
				return rawList("videos", parts), err
			}),
		}},
		{Name: "ratings", Version: "1.0.0", Methods: []edgelayer.Method{
			question("of", true, func(ctx context.Context, who passport.Passport, of service.RatingsOf) (protocol.Raw, bool, error) {
				parts, ok, err := t.PeekRatings(ctx, who, of.IDs)
				return rawList("ratings", parts), ok, err
			}, func(ctx context.Context, who passport.Passport, of service.RatingsOf) (protocol.Raw, error) {
				parts, err := t.Ratings(ctx, who, of.IDs)
				return rawList("ratings", parts), err
			}),
		}},
		{Name: "numbers", Version: "1.0.0", Methods: []edgelayer.Method{
			question("next", false, func(_ context.Context, _ passport.Passport, n tier.Number) (protocol.Raw, bool, error) {
				b, err := protocol.MsgPack.Marshal(tier.Number{N: n.N + 1})
				return b, true, err
			}, func(_ context.Context, _ passport.Passport, n tier.Number) (protocol.Raw, error) {
				return protocol.MsgPack.Marshal(tier.Number{N: n.N + 1})
			}),
		}},
	}
}

// question is a method that is asked for what it has in memory first. One that is
// personal has a passport.
func question[In any](name string, personal bool,
	peek func(context.Context, passport.Passport, In) (protocol.Raw, bool, error),
	get func(context.Context, passport.Passport, In) (protocol.Raw, error),
) edgelayer.Method {
	prepare := func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (who passport.Passport, in In, err error) {
		if len(args) > 0 {
			if err := codec.UnmarshalStrict(args, &in); err != nil {
				return who, in, edgelayer.WrongArguments(err)
			}
		}
		if personal {
			who, err = edgelayer.Passport(ctx)
		}
		return who, in, err
	}
	options := []edgelayer.MethodOption{
		edgelayer.Reads(),
		edgelayer.AtOnce(func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, bool, error) {
			who, in, err := prepare(ctx, codec, args)
			if err != nil {
				return nil, true, err
			}
			return peek(ctx, who, in)
		}),
	}
	if personal {
		options = append(options, edgelayer.NeedsPassport(passport.Recognised))
	}
	return edgelayer.NewRaw(name, "{…}", func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error) {
		who, in, err := prepare(ctx, codec, args)
		if err != nil {
			return nil, err
		}
		return get(ctx, who, in)
	}, options...)
}

// rawList is a list of values that are encoded already.
func rawList(name string, parts [][]byte) protocol.Raw {
	size := len(name) + 16
	for _, p := range parts {
		size += len(p)
	}
	b := msgp.AppendMapHeader(make([]byte, 0, size), 1)
	b = msgp.AppendString(b, name)
	b = msgp.AppendArrayHeader(b, uint32(len(parts)))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// resilientWarmline is [Contender.Resilience]: there is nothing to set.
const resilientWarmline = "nodelayer.Config.Edges has all addresses, all else is the default: " +
	"the less busy edge of two, lines dialled again, conversations carried to another edge, limits as measured"

func connectWarmline(ctx context.Context, addresses []string) (*nodelayer.Edge, error) {
	var edges []string
	for _, a := range addresses {
		edges = append(edges, "tcp://"+a)
	}
	return nodelayer.Dial(ctx, nodelayer.Config{Edges: edges, Name: "bench", Version: "1.0.0"})
}

func dialWarmline(ctx context.Context, addresses []string, _ Load) (Client, error) {
	edge, err := connectWarmline(ctx, addresses)
	return warmline{edge}, err
}

// converse opens a job's conversation.
func converse(ctx context.Context, edge *nodelayer.Edge, sealed []byte) (context.Context, *nodelayer.Conversation) {
	ctx = passport.NewContext(ctx, passport.NewCarrier(sealed))
	return ctx, edge.Converse(ctx)
}

// warmline asks follow-ups when it has what they need.
type warmline struct{ edge *nodelayer.Edge }

func (w warmline) Page(ctx context.Context, sealed []byte) (Page, error) {
	ctx, conv := converse(ctx, w.edge, sealed)
	defer conv.Close()
	p, err := nodelayer.Call[service.Profile](ctx, conv, "profiles.current", nil)
	if err != nil {
		return Page{}, err
	}
	recs, err := nodelayer.Call[service.Recommendations](ctx, conv, "recommendations.row", tier.RowOf{Limit: tier.Limit, Language: p.Language})
	if err != nil {
		return Page{}, err
	}
	ids := ids(recs)
	films := conv.Start("catalogue.films", service.VideosByID{IDs: ids})
	ratings := conv.Start("ratings.of", service.RatingsOf{IDs: ids})
	f, err := nodelayer.Await[service.Videos2](ctx, films)
	if err != nil {
		return Page{}, err
	}
	r, err := nodelayer.Await[service.Ratings](ctx, ratings)
	return shape(p, recs, f, r), err
}

func (w warmline) Chain(ctx context.Context, sealed []byte, depth int) (int, error) {
	ctx, conv := converse(ctx, w.edge, sealed)
	defer conv.Close()
	var at tier.Number
	var err error
	for range depth {
		if at, err = nodelayer.Call[tier.Number](ctx, conv, "numbers.next", at); err != nil {
			return 0, err
		}
	}
	return at.N, nil
}

func (w warmline) Fan(ctx context.Context, sealed []byte, width int) (sum int, err error) {
	ctx, conv := converse(ctx, w.edge, sealed)
	defer conv.Close()
	calls := make([]*nodelayer.Pending, width)
	for i := range calls {
		calls[i] = conv.Start("numbers.next", tier.Number{N: i})
	}
	for _, c := range calls {
		n, err := nodelayer.Await[tier.Number](ctx, c)
		if err != nil {
			return 0, err
		}
		sum += n.N
	}
	return sum, nil
}

// Hold is [Holder].
func (w warmline) Hold(ctx context.Context, sealed []byte) (Held, error) {
	_, conv := converse(ctx, w.edge, sealed)
	return heldWarmline{conv}, nil
}

type heldWarmline struct{ conv *nodelayer.Conversation }

func (h heldWarmline) Next(ctx context.Context, n int) (int, error) {
	next, err := nodelayer.Call[tier.Number](ctx, h.conv, "numbers.next", tier.Number{N: n})
	return next.N, err
}

func dialPipelined(ctx context.Context, addresses []string, _ Load) (Client, error) {
	edge, err := connectWarmline(ctx, addresses)
	return pipelined{warmline{edge}}, err
}

// pipelined sends all calls at once; one that needs the answer to another refers to it.
type pipelined struct{ warmline }

func (p pipelined) Page(ctx context.Context, sealed []byte) (Page, error) {
	ctx, conv := converse(ctx, p.edge, sealed)
	defer conv.Close()
	profile := conv.Start("profiles.current", nil)
	recs := conv.Start("recommendations.row", struct {
		Limit    int           `json:"limit"`
		Language nodelayer.Ref `json:"language"`
	}{tier.Limit, profile.Ref("language")})
	ids := struct {
		IDs nodelayer.Ref `json:"ids"`
	}{recs.Ref("items", nodelayer.Each, "id")}
	films := conv.Start("catalogue.films", ids)
	ratings := conv.Start("ratings.of", ids)
	pr, err1 := nodelayer.Await[service.Profile](ctx, profile)
	rs, err2 := nodelayer.Await[service.Recommendations](ctx, recs)
	f, err3 := nodelayer.Await[service.Videos2](ctx, films)
	r, err4 := nodelayer.Await[service.Ratings](ctx, ratings)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Page{}, err
	}
	return shape(pr, rs, f, r), nil
}

func (p pipelined) Chain(ctx context.Context, sealed []byte, depth int) (int, error) {
	ctx, conv := converse(ctx, p.edge, sealed)
	defer conv.Close()
	last := conv.Start("numbers.next", tier.Number{})
	for range depth - 1 {
		last = conv.Start("numbers.next", struct {
			N nodelayer.Ref `json:"n"`
		}{last.Ref("n")})
	}
	n, err := nodelayer.Await[tier.Number](ctx, last)
	return n.N, err
}
