package nodelayer_test

import (
	"reflect"
	"testing"

	"warmline.dev/protocol"
)

func TestResultsAreTyped(t *testing.T) {
	e := dial(t, serve(t, films("2.1.3")).addr)
	full := film{ID: 7, Title: "Häxan", Tags: []string{"silent", ""}, More: map[string]string{"year": "1922"}}
	inBothWays(t, e, func(t *testing.T, ask asking[film]) {
		if got, err := ask(t.Context(), "films.echo", full); err != nil || !reflect.DeepEqual(got, full) {
			t.Errorf("a struct: got %+v, %v", got, err)
		}
		if got, err := ask(t.Context(), "films.echo", map[string]any{"title": "M"}); err != nil || got.Title != "M" {
			t.Errorf("of a map: got %+v, %v", got, err)
		}
		if got, err := ask(t.Context(), "films.echo", nil); err != nil || !reflect.DeepEqual(got, film{}) {
			t.Errorf("of nothing: got %+v, %v", got, err)
		}
	})
	inBothWays(t, e, func(t *testing.T, ask asking[[]int]) {
		if got, err := ask(t.Context(), "films.list", number{3}); err != nil || !reflect.DeepEqual(got, []int{0, 0, 0}) {
			t.Errorf("a list: got %v, %v", got, err)
		}
	})
	inBothWays(t, e, func(t *testing.T, ask asking[*film]) {
		if got, err := ask(t.Context(), "films.none", nil); err != nil || got != nil {
			t.Errorf("nil: got %v, %v", got, err)
		}
	})
	inBothWays(t, e, func(t *testing.T, ask asking[struct {
		Title string `json:"title"`
	}],
	) {
		if got, err := ask(t.Context(), "films.echo", full); err != nil || got.Title != "Häxan" {
			t.Errorf("a type with fewer fields: got %+v, %v", got, err)
		}
	})
}

func TestTheEdgesErrors(t *testing.T) {
	inBothWays(t, dial(t, serve(t, films("2.1.3")).addr), func(t *testing.T, ask asking[film]) {
		for method, w := range map[string]protocol.Error{
			"films.missing": {Code: protocol.NotFound, Message: "no film 7", Remote: true},
			"films.busy":    {Code: protocol.Overloaded, Message: "later", Remote: true, Retry: true},
			"films.nothing": {Code: protocol.UnknownMethod, Message: `"films.nothing": films 2.1.3 has …`, Remote: true},
		} {
			want(t, errOf(ask(t.Context(), method, nil)), w)
		}
		want(t, errOf(ask(t.Context(), "films.echo", number{1})),
			protocol.Error{Code: protocol.InvalidArgument, Message: `arguments of films.echo: …; expected {"id":integer,…`, Remote: true})
	})
}

func TestInAConversationTheEdgeSaysWhetherAskingAgainIsSafe(t *testing.T) {
	e := dial(t, serve(t, films("2.1.3")).addr)
	want(t, errOf(call[film](t.Context(), converse(t, e), "films.again", nil)),
		protocol.Error{Code: protocol.Unavailable, Message: "come back", Remote: true, Retry: true})
}

func TestAResultThatDoesNotFitIsAnErrorOfThisSide(t *testing.T) {
	e := dial(t, serve(t, films("2.1.3")).addr)
	inBothWays(t, e, func(t *testing.T, ask asking[int]) {
		want(t, errOf(ask(t.Context(), "films.version", nil)),
			protocol.Error{Code: protocol.Internal, Message: "the result of films.version does not fit *int: …"})
	})
	inBothWays(t, e, func(t *testing.T, ask asking[string]) { // and nothing else is harmed
		if got, err := ask(t.Context(), "films.version", nil); got != "2.1.3" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestArgumentsThatCanNotBeEncodedAreRefusedHere(t *testing.T) {
	inBothWays(t, dial(t, serve(t, films("2.1.3")).addr), func(t *testing.T, ask asking[film]) {
		want(t, errOf(ask(t.Context(), "films.echo", map[string]any{"title": make(chan int)})),
			protocol.Error{Code: protocol.InvalidArgument, Message: "arguments of films.echo: …"})
	})
}
