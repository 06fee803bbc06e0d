package edgelayer_test

import (
	"context"
	"fmt"
	"strings"

	"warmline.dev/edgelayer"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/rsocket"
)

// An edge that offers one service with one method, and a node that asks it.
func Example() {
	ctx := context.Background()

	type name struct {
		Name string `json:"name"`
	}
	greeter := edgelayer.Service{Name: "greeter", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("greet", func(_ context.Context, in name) (string, error) {
			return "Good evening, " + strings.ToUpper(in.Name), nil
		}),
	}}
	server, err := edgelayer.New(edgelayer.Config{Services: []edgelayer.Service{greeter}})
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := rsocket.Listen(ctx, "tcp://127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()

	edge, err := nodelayer.Dial(ctx, nodelayer.Config{
		Edges: []string{"tcp://" + listener.Addr().String()},
		Wants: map[string]string{"greeter": "^1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer edge.Close()

	greeting, err := nodelayer.Ask[string](ctx, edge, "greeter.greet", name{Name: "Ann"})
	fmt.Println(greeting, err)

	_, err = nodelayer.Ask[string](ctx, edge, "greeter.greet", map[string]int{"age": 7})
	fmt.Println(err)

	// Output:
	// Good evening, ANN <nil>
	// invalid_argument: arguments of greeter.greet: msgpack: unknown field "age"; expected {"name":string}
}
