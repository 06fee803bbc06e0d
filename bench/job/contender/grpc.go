package contender

import (
	"context"
	"net"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"warmline.dev/bench/job/contender/edgepb"
	"warmline.dev/bench/tier"
	"warmline.dev/passport"
)

// grpcPassport is the metadata that has the sealed passport: as bytes, which gRPC
// sends in base64.
const grpcPassport = "passport-bin"

// grpcWindow holds all that is under way, so that flow control never stops a
// sender. Being static it costs no pings to find its size out.
const grpcWindow = 1 << 20

// kept is an answer that is encoded already, as parts that come one behind another.
// Protocol buffers allow it: lists of one, one behind another, are the list of all.
type kept [][]byte

// keptCodec is gRPC's own codec for protocol buffers, that sends what is kept as it is.
type keptCodec struct{ encoding.CodecV2 }

func newKeptCodec() keptCodec { return keptCodec{encoding.GetCodecV2(proto.Name)} }

func (c keptCodec) Marshal(v any) (mem.BufferSlice, error) {
	parts, ok := v.(kept)
	switch {
	case !ok:
		return c.CodecV2.Marshal(v)
	case len(parts) == 1:
		return mem.BufferSlice{mem.SliceBuffer(parts[0])}, nil // nobody writes into it
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	b := mem.DefaultBufferPool().Get(size)
	at := 0
	for _, p := range parts {
		at += copy((*b)[at:], p)
	}
	return mem.BufferSlice{mem.NewBuffer(b, mem.DefaultBufferPool())}, nil
}

func serveGRPC(ctx context.Context, l net.Listener, t *tier.Tier) error {
	s := grpc.NewServer(
		grpc.ForceServerCodecV2(newKeptCodec()),
		grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))),
		grpc.StaticStreamWindowSize(grpcWindow), grpc.StaticConnWindowSize(grpcWindow),
	)
	s.RegisterService(&grpcEdge, t)
	return until(ctx, func() error { return s.Serve(l) }, func(ctx context.Context) error {
		defer context.AfterFunc(ctx, s.Stop)()
		s.GracefulStop()
		return ctx.Err()
	})
}

// grpcEdge is the generated service with handlers that may answer what is kept:
// generated ones want messages.
var grpcEdge = grpc.ServiceDesc{
	ServiceName: edgepb.Edge_ServiceDesc.ServiceName,
	HandlerType: (*any)(nil),
	Methods:     grpcMethods,
	Streams:     []grpc.StreamDesc{{StreamName: "Converse", Handler: grpcConverse, ClientStreams: true, ServerStreams: true}},
}

// grpcOpen opens the passport of a call, or of a stream.
func grpcOpen(ctx context.Context, t *tier.Tier) (passport.Passport, error) {
	var sealed []byte
	if values := metadata.ValueFromIncomingContext(ctx, grpcPassport); len(values) == 1 {
		sealed = []byte(values[0])
	}
	who, err := t.Open(sealed)
	if err != nil {
		return who, status.Error(codes.Unauthenticated, err.Error())
	}
	return who, nil
}

// withGRPCPassport is the context of a job.
func withGRPCPassport(ctx context.Context, sealed []byte) context.Context {
	return metadata.NewOutgoingContext(ctx, metadata.MD{grpcPassport: {string(sealed)}})
}

// resilientGRPC is [Contender.Resilience]. The policy is that of gRPC's guide, with
// pauses for servers that are near.
const (
	resilientGRPC = "the edges that can be had in turn; up to 4 attempts after UNAVAILABLE, 10 to 100 ms apart; an edge that is lost is dialled again after 0.1 to 1 s"
	grpcRetries   = `"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.01s","maxBackoff":"0.1s","backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}]`
)

// connectGRPC connects to all addresses, and takes turns among those that can be had.
func connectGRPC(addresses []string, resilient bool) (*grpc.ClientConn, error) {
	config := `"loadBalancingConfig":[{"round_robin":{}}]`
	again := backoff.DefaultConfig
	if resilient {
		config += "," + grpcRetries
		again.BaseDelay, again.MaxDelay = 100*time.Millisecond, time.Second
	}
	r := manual.NewBuilderWithScheme("edges")
	var state resolver.State
	for _, a := range addresses {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}})
	}
	r.InitialState(state)
	conn, err := grpc.NewClient(r.Scheme()+":///",
		grpc.WithResolvers(r), grpc.WithDefaultServiceConfig("{"+config+"}"),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: 20 * time.Second}), // which is the default
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(grpcWindow), grpc.WithStaticConnWindowSize(grpcWindow),
	)
	if err != nil {
		return nil, err
	}
	conn.Connect()
	return conn, nil
}
