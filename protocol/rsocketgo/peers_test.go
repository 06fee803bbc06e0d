package rsocketgo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jjeffcaii/reactor-go/scheduler"
	library "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"
	"github.com/rsocket/rsocket-go/rx/mono"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// The other end is rsocket-go as it is, without this package. It goes on after
// all that is said here; CANCEL to a requester and ERROR to a responder, which
// this package never says, would end the process.

func numbers(n int) []payload.Payload {
	var items []payload.Payload
	for i := range n {
		items = append(items, payload.NewString(fmt.Sprint(i), "m"))
	}
	return items
}

// bareServer is a server by rsocket-go alone.
func bareServer(t *testing.T, pushed chan<- string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := library.NewAbstractSocket(
		library.FireAndForget(func(p payload.Payload) { pushed <- p.DataUTF8() }),
		library.MetadataPush(func(p payload.Payload) { m, _ := p.MetadataUTF8(); pushed <- m }),
		library.RequestResponse(func(p payload.Payload) mono.Mono { return mono.Just(payload.Clone(p)) }),
		library.RequestStream(func(payload.Payload) flux.Flux { return flux.Just(numbers(100)...) }),
		library.RequestChannel(func(in flux.Flux) flux.Flux {
			in.Subscribe(context.Background(), rx.OnNext(func(p payload.Payload) error { pushed <- p.DataUTF8(); return nil }))
			return flux.Just(numbers(100)...)
		}),
	)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- library.Receive().Scheduler(scheduler.Parallel(), scheduler.Parallel()).
			Acceptor(func(context.Context, payload.SetupPayload, library.CloseableRSocket) (library.RSocket, error) {
				return socket, nil
			}).
			Transport(func(context.Context) (transport.ServerTransport, error) {
				return transport.NewTCPServerTransport(func(context.Context) (net.Listener, error) { return l, nil }), nil
			}).Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		await.Value(t, "the end of rsocket-go's server", ended)
	})
	return "tcp://" + l.Addr().String()
}

func TestAServerByRSocketGo(t *testing.T) {
	pushed := make(chan string, 100)
	c, err := Dial(t.Context(), bareServer(t, pushed), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{Window: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // never fails
	p := rsocket.Payload{Metadata: []byte("m"), Data: []byte("d")}
	if got, err := c.Call(await.Context(t), p); err != nil || string(got.Data) != "d" || string(got.Metadata) != "m" {
		t.Errorf("request-response: %v, %v", got, err)
	}
	if err := errors.Join(c.FireAndForget(await.Context(t), p), c.PushMetadata(await.Context(t), []byte("d"))); err != nil {
		t.Error(err)
	}
	for range 2 {
		if got := await.Value(t, "what was sent", pushed); got != "d" {
			t.Errorf("got %q", got)
		}
	}
	st, err := c.OpenStream(await.Context(t), p)
	if err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, st)
	ch, err := c.OpenChannel(await.Context(t), p)
	if err == nil {
		err = ch.Send(await.Context(t), p)
	}
	if err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, ch)
	for range 2 {
		if got := await.Value(t, "an item", pushed); got != "d" {
			t.Errorf("got %q", got)
		}
	}
	if err := ch.Send(await.Context(t), p); err != nil {
		t.Errorf("behind the responder's end: %v", err)
	}
	ch.Cancel()
	if ch, err = c.OpenChannel(await.Context(t), p); err != nil {
		t.Fatal(err)
	}
	ch.Cancel() // with items on their way
	if _, err := c.Call(await.Context(t), p); err != nil {
		t.Errorf("it is gone: %v", err)
	}
}

func wantNumbers(t *testing.T, ch rsocket.Channel) {
	t.Helper()
	for i := range 100 {
		if p, err := ch.Recv(await.Context(t)); err != nil || string(p.Data) != fmt.Sprint(i) || string(p.Metadata) != "m" {
			t.Fatalf("item %d: got %q, %v", i, p.Data, err)
		}
	}
	if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, want the end", err)
	}
}

func TestAClientByRSocketGo(t *testing.T) {
	h := echo
	got := make(chan string, 200)
	h.Channel = func(ctx context.Context, ch rsocket.Channel) error {
		first, err := ch.Recv(ctx)
		if err != nil || string(first.Data) == "leave" {
			return err
		}
		for ; err == nil; first, err = ch.Recv(ctx) {
			got <- string(first.Data)
		}
		return nil
	}
	s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return h, nil }, rsocket.Config{Window: 8})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	over := make(chan struct{})
	client, err := library.Connect().Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		OnClose(func(error) { close(over) }).
		Transport(library.TCPClient().SetAddr(l.Addr().String()).Build()).
		Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	call := func() {
		t.Helper()
		p, err := client.RequestResponse(payload.NewString("d", "m")).Block(context.Background())
		if err != nil || p.DataUTF8() != "d" {
			t.Fatalf("%v, %v", p, err)
		}
	}
	call()
	ask := func(items ...payload.Payload) (ended chan error) {
		ended = make(chan error, 1)
		client.RequestChannel(flux.Just(items...)).Subscribe(context.Background(),
			rx.OnComplete(func() { ended <- nil }), rx.OnError(func(err error) { ended <- err }))
		return ended
	}
	// The handler leaves while the requester has items to send.
	if err := await.Value(t, "the responder's end", ask(append([]payload.Payload{payload.NewString("leave", "")}, numbers(100)...)...)); err != nil {
		t.Error(err)
	}
	call()
	if err := await.Value(t, "the responder's end", ask(numbers(100)...)); err != nil {
		t.Error(err)
	}
	for i := range 100 {
		if item := await.Value(t, "an item", got); item != fmt.Sprint(i) {
			t.Fatalf("item %d is %q", i, item)
		}
	}
	call()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	await.Value(t, "the end of rsocket-go's client", over)
	<-served
}
