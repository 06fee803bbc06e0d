package contender

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// rawCodec carries a *[]byte as it is. Like the codec for protocol buffers it
// writes into a pooled buffer, and has nothing else to do.
type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.Copy(*v.(*[]byte), mem.DefaultBufferPool())}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b := v.(*[]byte)
	n := data.Len()
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	*b = (*b)[:n]
	data.CopyTo(*b)
	return nil
}

// grpcEcho is written by hand, so that the bench needs no generated code.
var grpcEcho = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: grpcUnary}},
	Streams:     []grpc.StreamDesc{{StreamName: "Bidi", Handler: grpcBidi, ClientStreams: true, ServerStreams: true}},
}

const (
	grpcUnaryMethod = "/bench.Echo/Unary"
	grpcBidiMethod  = "/bench.Echo/Bidi"
)

func grpcUnary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var message []byte
	err := decode(&message)
	return &message, err
}

func grpcBidi(_ any, s grpc.ServerStream) error {
	var message []byte
	for {
		if err := s.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.SendMsg(&message); err != nil {
			return err
		}
	}
}

// grpcWindow holds all that is under way, so that flow control never stops a
// sender. Being static it costs no pings to find its size out.
func grpcWindow(load Load) int32 {
	return int32(min(max(1<<20, 2*load.bytes()), math.MaxInt32))
}

func serveGRPC(l net.Listener, load Load) error {
	s := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))),
		grpc.StaticStreamWindowSize(grpcWindow(load)), grpc.StaticConnWindowSize(grpcWindow(load)),
	)
	s.RegisterService(&grpcEcho, nil)
	return s.Serve(l)
}

func connectGRPC(address string, load Load) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})),
		grpc.WithStaticStreamWindowSize(grpcWindow(load)), grpc.WithStaticConnWindowSize(grpcWindow(load)),
	)
}

func dialGRPCUnary(_ context.Context, address string, load Load) (Client, error) {
	conn, err := connectGRPC(address, load)
	if err != nil {
		return Client{}, err
	}
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		var out, in []byte // outside the lane, so that they are not allocated for each call
		lanes[i] = func(ctx context.Context, request []byte) ([]byte, error) {
			out = request
			err := conn.Invoke(ctx, grpcUnaryMethod, &out, &in)
			return in, err
		}
	}
	return Client{Lanes: lanes}, nil
}

func dialGRPCBidi(ctx context.Context, address string, load Load) (Client, error) {
	conn, err := connectGRPC(address, load)
	if err != nil {
		return Client{}, err
	}
	s, err := conn.NewStream(ctx, &grpcEcho.Streams[0], grpcBidiMethod)
	if err != nil {
		return Client{}, err
	}
	return Client{Stream: &grpcStream{s: s}}, nil
}

type grpcStream struct {
	s       grpc.ClientStream
	out, in []byte
}

func (g *grpcStream) Send(_ context.Context, request []byte) error {
	g.out = request // copied by the codec
	return g.s.SendMsg(&g.out)
}

func (g *grpcStream) Recv(context.Context) ([]byte, error) {
	err := g.s.RecvMsg(&g.in)
	return g.in, err
}
