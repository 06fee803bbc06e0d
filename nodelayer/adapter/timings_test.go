package adapter_test

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
)

func TestTheAnswerTellsTheCallsThatItTook(t *testing.T) {
	films := edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("list", func(context.Context, struct{}) ([]string, error) { return []string{"M"}, nil }),
	}}
	server, err := edgelayer.New(edgelayer.Config{Services: []edgelayer.Service{films}})
	if err != nil {
		t.Fatal(err)
	}
	edge, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{serving.Start(t, server.Serve, server.Close)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = edge.Close() })

	l := serve(t, adapter.JSON(func(r *http.Request) (any, error) {
		conv := edge.Converse(r.Context())
		defer conv.Close()
		list, err := nodelayer.Call[[]string](r.Context(), conv, "films.list", nil)
		if err != nil {
			return nil, err
		}
		_, _ = nodelayer.Call[string](r.Context(), conv, "films.nothing", nil)
		return list, nil
	}))
	for range 2 { // each answer tells its own
		got := l.get("/")
		wantAnswer(t, "/", got, 200, `["M"]`)
		for i := range got.Calls {
			got.Calls[i].Micros = 0
		}
		if want := []protocol.Timing{{Method: "films.list"}, {Method: "films.nothing", Code: "unknown_method"}}; !reflect.DeepEqual(got.Calls, want) {
			t.Errorf("the calls are %+v", got.Calls)
		}
	}
}
