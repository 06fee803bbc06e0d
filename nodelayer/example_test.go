package nodelayer_test

import (
	"context"
	"fmt"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/rsocket"
)

// A conversation: a call, and a follow-up on the same channel once its answer
// has been looked at.
func ExampleCall() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	address, stop := exampleEdge(ctx)
	defer stop()
	edge, err := nodelayer.Dial(ctx, nodelayer.Config{
		Edges: []string{address}, Name: "tv", Version: "2.0.0",
		Wants: map[string]string{"shelf": "^1.1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer edge.Close()
	fmt.Println("shelf is", edge.Resolved()["shelf"])

	conversation := edge.Converse(ctx) // nothing is sent yet
	defer conversation.Close()

	ids, err := nodelayer.Call[[]string](ctx, conversation, "shelf.list", map[string]int{"limit": 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		title, err := nodelayer.Call[string](ctx, conversation, "shelf.title", map[string]string{"id": id})
		fmt.Println(id, title, err)
	}

	// Output:
	// shelf is 1.2.0
	// m1 The Third Man <nil>
	// m2 Playtime <nil>
}

// Calls that refer to one another cross together: the edge puts the ids of the
// first answer into the arguments of the second call.
func ExamplePending_Ref() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	address, stop := exampleEdge(ctx)
	defer stop()
	edge, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: []string{address}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer edge.Close()
	conversation := edge.Converse(ctx)
	defer conversation.Close()

	list := conversation.Start("shelf.list", map[string]int{"limit": 3})
	second := conversation.Start("shelf.title", map[string]any{"id": list.Ref(1)})
	missing := conversation.Start("shelf.title", map[string]any{"id": list.Ref(7)})

	fmt.Println(nodelayer.Await[string](ctx, second))
	fmt.Println(nodelayer.Await[string](ctx, missing))

	// Output:
	// Playtime <nil>
	//  unresolved: call 1: [7]: no such element
}

// exampleEdge is an edge with films on a shelf.
func exampleEdge(ctx context.Context) (address string, stop func()) {
	type limit struct {
		Limit int `json:"limit"`
	}
	type id struct {
		ID string `json:"id"`
	}
	titles := map[string]string{"m1": "The Third Man", "m2": "Playtime"}
	server, err := edgelayer.New(edgelayer.Config{Services: []edgelayer.Service{{Name: "shelf", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("list", func(_ context.Context, in limit) ([]string, error) {
			return []string{"m1", "m2", "m3"}[:in.Limit], nil
		}),
		edgelayer.NewMethod("title", func(_ context.Context, in id) (string, error) { return titles[in.ID], nil }),
	}}}})
	if err != nil {
		panic(err)
	}
	listener, err := rsocket.Listen(ctx, "tcp://127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "tcp://" + listener.Addr().String(), func() { _ = server.Close() }
}
