package contender

import (
	"context"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"warmline.dev/bench/job/contender/edgepb"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
	"warmline.dev/passport"
)

var grpcMethods = []grpc.MethodDesc{
	grpcMethod(edgepb.Edge_GetProfile_FullMethodName, func(ctx context.Context, t *tier.Tier, who passport.Passport, _ *edgepb.ProfileOf) (any, error) {
		return one(t.Profile(ctx, who))
	}),
	grpcMethod(edgepb.Edge_ListRecommendations_FullMethodName, func(ctx context.Context, t *tier.Tier, who passport.Passport, of *edgepb.RowOf) (any, error) {
		return one(t.Row(ctx, who, rowOf(of)))
	}),
	grpcMethod(edgepb.Edge_ListFilms_FullMethodName, func(ctx context.Context, t *tier.Tier, _ passport.Passport, of *edgepb.FilmsOf) (any, error) {
		return many(t.Films(ctx, ints(of.GetIds())))
	}),
	grpcMethod(edgepb.Edge_ListRatings_FullMethodName, func(ctx context.Context, t *tier.Tier, who passport.Passport, of *edgepb.RatingsOf) (any, error) {
		return many(t.Ratings(ctx, who, ints(of.GetIds())))
	}),
	grpcMethod(edgepb.Edge_Next_FullMethodName, func(_ context.Context, _ *tier.Tier, _ passport.Passport, n *edgepb.Number) (any, error) {
		return &edgepb.Number{N: n.GetN() + 1}, nil
	}),
}

func one(b []byte, err error) (kept, error)        { return kept{b}, err }
func many(parts [][]byte, err error) (kept, error) { return parts, err }

// grpcMethod is a method as the generated code has it, for a passport and an answer
// that may be kept.
func grpcMethod[In any, M interface {
	*In
	proto.Message
}](name string, answer func(context.Context, *tier.Tier, passport.Passport, M) (any, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: path.Base(name),
		Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			t := srv.(*tier.Tier)
			who, err := grpcOpen(ctx, t)
			if err != nil {
				return nil, err
			}
			in := M(new(In))
			if err := decode(in); err != nil {
				return nil, err
			}
			return answer(ctx, t, who, in)
		},
	}
}

func dialGRPCUnary(_ context.Context, addresses []string, load Load) (Client, error) {
	conn, err := connectGRPC(addresses, load.Resilient)
	if err != nil {
		return nil, err
	}
	edge := edgepb.NewEdgeClient(conn)
	return OneByOne(func(_ context.Context, sealed []byte) (Asker, error) {
		return &grpcAsker{edge, sealed}, nil
	}), nil
}

type grpcAsker struct {
	edge     edgepb.EdgeClient
	passport []byte
}

func (*grpcAsker) Close() {}

func (a *grpcAsker) Profile(ctx context.Context) (service.Profile, error) {
	m, err := a.edge.GetProfile(withGRPCPassport(ctx, a.passport), &edgepb.ProfileOf{})
	return profileOf(m), err
}

func (a *grpcAsker) Row(ctx context.Context, of tier.RowOf) (service.Recommendations, error) {
	m, err := a.edge.ListRecommendations(withGRPCPassport(ctx, a.passport), &edgepb.RowOf{Limit: int32(of.Limit), Language: of.Language})
	return recommendationsOf(m), err
}

func (a *grpcAsker) Films(ctx context.Context, ids []int) (service.Videos2, error) {
	m, err := a.edge.ListFilms(withGRPCPassport(ctx, a.passport), &edgepb.FilmsOf{Ids: int32s(ids)})
	return filmsOf(m), err
}

func (a *grpcAsker) Ratings(ctx context.Context, ids []int) (service.Ratings, error) {
	m, err := a.edge.ListRatings(withGRPCPassport(ctx, a.passport), &edgepb.RatingsOf{Ids: int32s(ids)})
	return ratingsOf(m), err
}

func (a *grpcAsker) Next(ctx context.Context, n int) (int, error) {
	m, err := a.edge.Next(withGRPCPassport(ctx, a.passport), &edgepb.Number{N: int32(n)})
	return int(m.GetN()), err
}
