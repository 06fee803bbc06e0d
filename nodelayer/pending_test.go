package nodelayer_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/farlink"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket/frame"
)

type row struct {
	Items []film `json:"items"`
}

type titles struct {
	Titles []string `json:"titles"`
}

// guide is a service whose methods feed each other.
func guide() edgelayer.Service {
	return edgelayer.Service{Name: "guide", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("row", func(_ context.Context, in number) (row, error) {
			var r row
			for i := range in.N {
				r.Items = append(r.Items, film{ID: 100 + i})
			}
			return r, nil
		}, edgelayer.Reads()),
		edgelayer.NewMethod("titles", func(_ context.Context, in struct {
			IDs []int `json:"ids"`
		},
		) (t titles, err error) {
			for _, id := range in.IDs {
				t.Titles = append(t.Titles, fmt.Sprint("film ", id))
			}
			return t, nil
		}, edgelayer.Reads()),
		edgelayer.NewMethod("fails", func(context.Context, struct{}) (row, error) {
			return row{}, protocol.Errorf(protocol.Unavailable, "no row today")
		}),
	}}
}

func TestACallRefersToTheResultOfAnother(t *testing.T) {
	ctx := t.Context()
	c := converse(t, dial(t, serve(t, guide()).addr))
	r := c.Start("guide.row", number{3})
	all := c.Start("guide.titles", map[string]any{"ids": r.Ref("items", nodelayer.Each, "id")})
	two := c.Start("guide.titles", map[string]any{"ids": r.Ref("items", nodelayer.Slice(1, -1), "id")})
	one := c.Start("guide.titles", map[string]any{"ids": []any{r.Ref("items", 2, "id"), 7}})
	for _, tt := range []struct {
		p    *nodelayer.Pending
		want []string
	}{
		{one, []string{"film 102", "film 7"}},
		{all, []string{"film 100", "film 101", "film 102"}},
		{two, []string{"film 101", "film 102"}},
		{all, []string{"film 100", "film 101", "film 102"}}, // as often as one likes
	} {
		if got, err := nodelayer.Await[titles](ctx, tt.p); err != nil || !slices.Equal(got.Titles, tt.want) {
			t.Errorf("got %v, %v, want %v", got, err, tt.want)
		}
	}
	if got, err := nodelayer.Await[row](ctx, r); err != nil || len(got.Items) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	// Long after it was answered, and in a Call.
	got, err := nodelayer.Call[titles](ctx, c, "guide.titles", map[string]any{"ids": []any{r.Ref("items", 0, "id")}})
	if err != nil || !slices.Equal(got.Titles, []string{"film 100"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAChainOfCallsTakesOneRoundTrip(t *testing.T) {
	e := serve(t, guide())
	link := farlink.New(t, strings.TrimPrefix(e.addr, "tcp://"), 20*time.Millisecond)
	c := converse(t, dial(t, link.Addr))
	link.Frames()
	begun := time.Now()
	r := c.Start("guide.row", number{3})
	for range 20 {
		runtime.Gosched() // who would send it at once can
	}
	a := c.Start("guide.titles", map[string]any{"ids": r.Ref("items", nodelayer.Each, "id")})
	b := c.Start("guide.row", number{1}, nodelayer.After(a))
	d := c.Start("guide.titles", map[string]any{"ids": b.Ref("items", nodelayer.Each, "id")})
	if got, err := nodelayer.Await[titles](t.Context(), d); err != nil || !slices.Equal(got.Titles, []string{"film 100"}) {
		t.Fatalf("got %v, %v", got, err)
	}
	t.Logf("four calls, each behind the other, took %v where one way takes 20 ms", time.Since(begun))
	up, down := 0, 0
	for _, f := range link.Frames() {
		switch {
		case f.Up && f.Type == frame.TypeRequestChannel && down == 0:
			up++
		case f.Up && f.Type == frame.TypePayload:
			t.Error("something was sent behind the first payload")
		case !f.Up && f.Type == frame.TypePayload:
			down++
		}
	}
	if up != 1 || down < 1 {
		t.Errorf("%d requests up and %d answers down", up, down)
	}
}

func TestACallThatIsStartedLeavesThoughNobodyWaits(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	p := c.Start("gate.wait", number{1})
	g.wantEntered(t, 1)
	c.Start("gate.wait", number{2})
	g.wantEntered(t, 1)
	g.letGo(1)
	if got, err := nodelayer.Await[int](t.Context(), p); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestWhatARefersToFailsWithIt(t *testing.T) {
	ctx := t.Context()
	c := converse(t, dial(t, serve(t, guide()).addr))
	other := converse(t, dial(t, serve(t, guide()).addr))
	failed := c.Start("guide.fails", nil)
	r := c.Start("guide.row", number{2})
	ids := func(ref any) map[string]any { return map[string]any{"ids": ref} }
	for _, tt := range []struct {
		name string
		p    *nodelayer.Pending
		want protocol.Error
	}{
		{"a failed call", c.Start("guide.titles", ids(failed.Ref("items", nodelayer.Each, "id"))), protocol.Error{Code: protocol.Unresolved, Message: "call 1 (guide.fails) failed: unavailable: no row today", Remote: true}},
		{"behind a failed call", c.Start("guide.row", number{1}, nodelayer.After(failed)), protocol.Error{Code: protocol.Unresolved, Message: "call 1 (guide.fails) failed: unavailable: no row today", Remote: true}},
		{"a missing key", c.Start("guide.titles", ids(r.Ref("items", nodelayer.Each, "name"))), protocol.Error{Code: protocol.Unresolved, Message: "call 2: items[0].name: no such key", Remote: true}},
		{"of another conversation", other.Start("guide.titles", ids(r.Ref("items", nodelayer.Each, "id"))), protocol.Error{Code: protocol.InvalidArgument, Message: "arguments of guide.titles: a reference to a call of another conversation"}},
		{"after one of another conversation", other.Start("guide.titles", nil, nodelayer.After(r)), protocol.Error{Code: protocol.InvalidArgument, Message: "guide.titles is to run after a call of another conversation"}},
		{"a step that is none", c.Start("guide.titles", ids(r.Ref(1.5))), protocol.Error{Code: protocol.InvalidArgument, Message: "arguments of guide.titles: …a step of type float64 in a reference: expected string, int, Each or Slice"}},
		{"itself, which was never sent", c.Start("guide.titles", ids(other.Start("guide.row", make(chan int)).Ref())), protocol.Error{Code: protocol.InvalidArgument, Message: "arguments of guide.titles: a reference to a call of another conversation"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := nodelayer.Await[titles](ctx, tt.p)
			want(t, err, tt.want)
		})
	}
	if _, err := nodelayer.Await[row](ctx, r); err != nil {
		t.Errorf("what was referred to: %v", err)
	}
}

func TestAwaitWhoseContextEndsLeavesTheCallAlone(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	p := c.Start("gate.wait", number{1})
	ctx, cancel := context.WithCancel(context.Background())
	waiting := later(func() error { return errOf(nodelayer.Await[int](ctx, p)) })
	g.wantEntered(t, 1)
	cancel()
	want(t, await.Value(t, "the one who waits", waiting), canceled)
	g.letGo(1)
	if got, err := nodelayer.Await[int](t.Context(), p); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	p.Cancel()
	if got, err := nodelayer.Await[int](t.Context(), p); got != 1 || err != nil {
		t.Errorf("cancelled when it was answered: got %d, %v", got, err)
	}
}

func TestCancelOfAPendingCall(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	p := c.Start("gate.wait", number{1})
	behind := c.Start("gate.wait", number{2}, nodelayer.After(p))
	g.wantEntered(t, 1)
	p.Cancel()
	want(t, errOf(nodelayer.Await[int](t.Context(), p)), canceled)
	g.wantEnded(t, 1)
	want(t, errOf(nodelayer.Await[int](t.Context(), behind)), protocol.Error{Code: protocol.Unresolved, Message: "call 1 (gate.wait) failed: canceled: context canceled", Remote: true})

	b, firsts := parrot(t)
	c = converse(t, dial(t, b.addr))
	c.Start("a.b", 1).Cancel() // before it has left
	if got, err := call[int](t.Context(), c, "a.b", 2); got != 2 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if m, rest, err := protocol.MsgPack.NextMessage((<-firsts).Data, 1000); err != nil || m.ID != 2 || len(rest) > 0 {
		t.Errorf("first of all went %+v, %d bytes behind it, %v", m, len(rest), err)
	}
}

func TestManyStartTogether(t *testing.T) {
	c := converse(t, dial(t, serve(t, guide()).addr))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				r := c.Start("guide.row", number{3})
				p := c.Start("guide.titles", map[string]any{"ids": r.Ref("items", nodelayer.Each, "id")})
				if got, err := nodelayer.Await[titles](t.Context(), p); err != nil || len(got.Titles) != 3 {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestFreshAndTheView(t *testing.T) {
	runs := 0
	service := edgelayer.Service{Name: "count", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("runs", func(context.Context, map[string]int) (int, error) { runs++; return runs, nil }, edgelayer.Reads()),
	}}
	c := converse(t, dial(t, serve(t, service).addr))
	args := map[string]any{"a": 1, "b": 2, "c": 3, "d": 4} // in whatever order
	for i, tt := range []struct {
		options []nodelayer.CallOption
		want    int
	}{{nil, 1}, {nil, 1}, {[]nodelayer.CallOption{nodelayer.Fresh()}, 2}, {nil, 2}} {
		if got, err := nodelayer.Call[int](t.Context(), c, "count.runs", args, tt.options...); got != tt.want || err != nil {
			t.Errorf("call %d: got %d, %v, want %d", i, got, err, tt.want)
		}
	}
}

func TestPartsComeAsTheyAreTaken(t *testing.T) {
	yielded := make(chan int, 1000)
	ended := make(chan error, 1)
	service := edgelayer.Service{Name: "rows", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewStream("count", func(_ context.Context, in number, yield func(int) error) (err error) {
			defer func() { ended <- err }()
			for i := range in.N {
				if err := yield(i); err != nil {
					return err
				}
				yielded <- i
			}
			return nil
		}),
		edgelayer.NewStream("fails", func(_ context.Context, in number, yield func(int) error) error {
			return errors.Join(yield(1), protocol.Errorf(protocol.Unavailable, "no more"))
		}),
	}}
	c := converse(t, dial(t, serve(t, service, films("2.1.3")).addr))
	next := 0
	for part, err := range nodelayer.Stream[int](t.Context(), c, "rows.count", number{200}) {
		if err != nil || part != next {
			t.Fatalf("part %d is %d, %v", next, part, err)
		}
		if next == 0 {
			await.Until(t, "the window to be full", func() bool { return len(yielded) == 32 })
			if _, err := nodelayer.Call[string](t.Context(), c, "films.version", nil); err != nil {
				t.Errorf("another call beside it: %v", err)
			}
			if n := len(yielded); n != 32 {
				t.Errorf("%d parts were sent, 32 can wait", n)
			}
		}
		next++
	}
	if next != 200 {
		t.Errorf("%d parts, want 200", next)
	}
	await.Value(t, "the end", ended)

	for part, err := range nodelayer.Stream[int](t.Context(), c, "rows.count", number{200}) {
		if part == 1 || err != nil {
			break
		}
	}
	if err := await.Value(t, "the end of what was left", ended); err == nil {
		t.Error("the method was not told")
	}

	var got []string
	for part, err := range nodelayer.Stream[int](t.Context(), c, "rows.fails", nil) {
		got = append(got, fmt.Sprint(part, " ", err))
	}
	if want := "[1 <nil> 0 unavailable: no more]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	for _, err := range nodelayer.Stream[string](t.Context(), c, "rows.count", number{1}) {
		want(t, err, protocol.Error{Code: protocol.Internal, Message: "the result of rows.count does not fit *string: …"})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range nodelayer.Stream[int](ctx, c, "rows.count", number{1}) {
		want(t, err, canceled)
	}
}
