package rsocketgo_test

import (
	"context"
	"fmt"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocketgo"
)

// A server and a client that rsocket-go carries: but for the package's name, all
// is as with package rsocket.
func Example() {
	ctx := context.Background()
	greet := rsocket.Handler{Response: func(_ context.Context, request rsocket.Payload) (rsocket.Payload, error) {
		return rsocket.Payload{Data: append([]byte("hello "), request.Data...)}, nil
	}}
	server, err := rsocketgo.NewServer(func(context.Context, *rsocketgo.Conn) (rsocket.Handler, error) {
		return greet, nil
	}, rsocket.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := rsocket.Listen(ctx, "tcp://127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	client, err := rsocketgo.Dial(ctx, "tcp://"+listener.Addr().String(), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := client.Call(ctx, rsocket.Payload{Data: []byte("world")})
	fmt.Println(string(answer.Data), err)
	fmt.Println(client.Shutdown(ctx))
	fmt.Println(server.Close())
	fmt.Println(<-served)
	// Output:
	// hello world <nil>
	// <nil>
	// <nil>
	// rsocket: server closed
}
