package nodelayer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// twin is one of two edges that offer the same. It notes what is asked of it.
type twin struct {
	*edge
	t       testing.TB
	asked   chan string   // methods, as they begin
	release chan struct{} // closed: twins.slow is answered
}

func newTwin(t testing.TB) *twin {
	tw := &twin{t: t, asked: make(chan string, 1000), release: make(chan struct{})}
	over := t.Context().Done()
	wait := func(method string) func(context.Context, struct{}) (row, error) {
		return func(ctx context.Context, _ struct{}) (row, error) {
			tw.asked <- method
			select {
			case <-tw.release:
			case <-ctx.Done():
				return row{}, ctx.Err()
			case <-over:
			}
			return row{Items: []film{{ID: 1}, {ID: 2}}}, nil
		}
	}
	titlesOf := func(_ context.Context, in struct {
		IDs []int `json:"ids"`
	},
	) (t titles, _ error) {
		tw.asked <- "titles"
		for _, id := range in.IDs {
			t.Titles = append(t.Titles, fmt.Sprint("film ", id))
		}
		return t, nil
	}
	service := edgelayer.Service{Name: "twins", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("quick", func(context.Context, struct{}) (row, error) {
			tw.asked <- "quick"
			return row{Items: []film{{ID: 7}}}, nil
		}, edgelayer.Reads()),
		edgelayer.NewMethod("slow", wait("slow"), edgelayer.Reads()),
		edgelayer.NewMethod("write", wait("write")),
		edgelayer.NewMethod("rewrite", wait("rewrite"), edgelayer.Idempotent()),
		edgelayer.NewMethod("titles", titlesOf, edgelayer.Reads()),
		edgelayer.NewStream("parts", func(ctx context.Context, in number, yield func(int) error) error {
			tw.asked <- "parts"
			for i := range in.N {
				if err := yield(i); err != nil {
					return err
				}
			}
			_, err := wait("parts")(ctx, struct{}{})
			return err
		}, edgelayer.Reads()),
	}}
	tw.edge = serve(t, service)
	return tw
}

// twins are two edges, and the node's side of them. The first is the one that has
// the conversation.
func twins(t testing.TB) (first, second *twin, c *nodelayer.Conversation) {
	t.Helper()
	a, b := newTwin(t), newTwin(t)
	e := dialWith(t, nodelayer.Config{Edges: []string{a.addr, b.addr}})
	await.Until(t, "both lines", func() bool { return e.Lines() == 2 })
	c = converse(t, e)
	if _, err := nodelayer.Call[row](t.Context(), c, "twins.quick", nil); err != nil {
		t.Fatal(err)
	}
	if len(a.asked) == 0 {
		a, b = b, a
	}
	<-a.asked
	return a, b, c
}

func (tw *twin) wantAsked(methods ...string) {
	tw.t.Helper()
	var got []string
	for range methods {
		got = append(got, await.Value(tw.t, "a call", tw.asked))
	}
	slices.Sort(got)
	slices.Sort(methods)
	if !slices.Equal(got, methods) {
		tw.t.Errorf("asked %v, want %v", got, methods)
	}
}

func TestAConversationGoesOnWithAnotherEdge(t *testing.T) {
	first, second, c := twins(t)
	ctx := t.Context()
	quick := c.Start("twins.quick", nil)
	if _, err := nodelayer.Await[row](ctx, quick); err != nil {
		t.Fatal(err)
	}
	slow := c.Start("twins.slow", nil)
	both := c.Start("twins.titles", map[string]any{"ids": []any{quick.Ref("items", 0, "id"), slow.Ref("items", 1, "id")}})
	after := c.Start("twins.titles", map[string]any{"ids": quick.Ref("items", nodelayer.Each, "id")}, nodelayer.After(slow, quick))
	write := c.Start("twins.write", nil)
	rewrite := c.Start("twins.rewrite", nil)
	behind := c.Start("twins.titles", nil, nodelayer.After(write))
	first.wantAsked("slow", "write", "rewrite")
	_ = first.Close()
	second.wantAsked("slow", "rewrite")
	close(second.release)

	if got, err := nodelayer.Await[titles](ctx, both); err != nil || !slices.Equal(got.Titles, []string{"film 7", "film 2"}) {
		t.Errorf("what refers to an answer and to a call: %v, %v", got, err)
	}
	if got, err := nodelayer.Await[titles](ctx, after); err != nil || !slices.Equal(got.Titles, []string{"film 7"}) {
		t.Errorf("what comes after an answer and a call: %v, %v", got, err)
	}
	for _, p := range []*nodelayer.Pending{slow, rewrite, quick} {
		if _, err := nodelayer.Await[row](ctx, p); err != nil {
			t.Error(err)
		}
	}
	want(t, errOf(nodelayer.Await[row](ctx, write)), protocol.Error{Code: protocol.Uncertain, Message: "the line was lost: …; twins.write may have been carried out"})
	want(t, errOf(nodelayer.Await[row](ctx, behind)), protocol.Error{Code: protocol.Unresolved, Message: "call 6 (twins.write) failed: uncertain: …"})
	second.wantAsked("titles", "titles")
	if _, err := nodelayer.Call[row](ctx, c, "twins.quick", nil); err != nil { // and goes on
		t.Error(err)
	}
	second.wantAsked("quick")
}

func TestAStreamGoesOnOnlyIfNothingHasComeOfIt(t *testing.T) {
	first, second, c := twins(t)
	ctx := t.Context()
	var got []string
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for part, err := range nodelayer.Stream[int](ctx, c, "twins.parts", number{1}) {
			if got = append(got, fmt.Sprint(part, " ", err)); len(got) == 1 {
				close(begun)
			}
		}
	})
	first.wantAsked("parts")
	await.Value(t, "the first part", begun)
	var none []string
	wg.Go(func() {
		for part, err := range nodelayer.Stream[int](ctx, c, "twins.parts", number{0}) {
			none = append(none, fmt.Sprint(part, " ", err))
		}
	})
	first.wantAsked("parts", "parts")
	_ = first.Close()
	second.wantAsked("parts", "parts")
	close(second.release)
	wg.Wait()
	if len(got) != 2 || got[0] != "0 <nil>" || !match(got[1], "0 unavailable: the line was lost in the middle of twins.parts: …") {
		t.Errorf("the one that had begun: %q", got)
	}
	if len(none) != 0 {
		t.Errorf("the one of which nothing had come: %q", none)
	}
}

func TestASingleCallGoesOnWithAnotherEdge(t *testing.T) {
	a, b := newTwin(t), newTwin(t)
	e := dialWith(t, nodelayer.Config{Edges: []string{a.addr, b.addr}})
	await.Until(t, "both lines", func() bool { return e.Lines() == 2 })
	done := later(func() error { return errOf(nodelayer.Ask[row](t.Context(), e, "twins.slow", nil)) })
	await.Until(t, "the call to begin", func() bool { return len(a.asked)+len(b.asked) == 1 })
	if len(a.asked) == 0 {
		a, b = b, a
	}
	_ = a.Close()
	close(b.release)
	if err := await.Value(t, "the answer", done); err != nil {
		t.Error(err)
	}
	b.wantAsked("slow")
}

// An edge that hangs keeps its connections: only its silence tells.
func TestAnEdgeThatHangsIsLeftOutUntilItAnswers(t *testing.T) {
	var hangs atomic.Bool
	thawed := make(chan struct{})
	over := t.Context().Done()
	frozen := func(ctx context.Context) {
		if hangs.Load() {
			select {
			case <-thawed:
			case <-ctx.Done():
			case <-over:
			}
		}
	}
	var begun atomic.Int64
	hanging := playRaw(t, rsocket.Handler{
		Response: func(ctx context.Context, _ rsocket.Payload) (rsocket.Payload, error) {
			frozen(ctx)
			data, err := protocol.MsgPack.Marshal(protocol.Welcome{Name: "hangs", Protocol: protocol.Version, Again: map[string][]string{"twins": {"quick"}}})
			return rsocket.Payload{Data: data}, err
		},
		Channel: func(ctx context.Context, ch rsocket.Channel) error {
			begun.Add(1)
			frozen(ctx)
			_, err := ch.Recv(ctx)
			if err == nil {
				data, wrong := protocol.MsgPack.AppendMessage(nil, &protocol.Message{Kind: protocol.KindReply, ID: 1, Value: []byte{0x80}})
				err = errors.Join(wrong, ch.Send(ctx, rsocket.Payload{Data: data}))
			}
			return err
		},
	})
	sound := newTwin(t)
	e := dialWith(t, nodelayer.Config{Edges: []string{hanging.addr, sound.addr}})
	await.Until(t, "both lines", func() bool { return e.Lines() == 2 })
	hangs.Store(true)
	ask := func() error {
		c := e.Converse(t.Context())
		defer c.Close()
		return errOf(nodelayer.Call[row](t.Context(), c, "twins.quick", nil))
	}
	for begun.Load() == 0 { // until one has begun with the edge that hangs
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	before := begun.Load()
	for range 20 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if n := begun.Load(); n != before {
		t.Errorf("%d conversations began with an edge that does not answer", n-before)
	}
	hangs.Store(false)
	close(thawed)
	await.Until(t, "the edge to be asked again", func() bool { return ask() == nil && begun.Load() > before })
}

func TestConversationsAreSpread(t *testing.T) {
	a, b := newTwin(t), newTwin(t)
	e := dialWith(t, nodelayer.Config{Edges: []string{a.addr, b.addr}})
	await.Until(t, "both lines", func() bool { return e.Lines() == 2 })
	var all []*nodelayer.Conversation
	for range 40 {
		c := converse(t, e)
		c.Start("twins.slow", nil)
		all = append(all, c)
	}
	await.Until(t, "all calls", func() bool { return len(a.asked)+len(b.asked) == 40 })
	if n := len(a.asked); n < 15 || n > 25 {
		t.Errorf("%d of 40 conversations went to the one, %d to the other", n, len(b.asked))
	}
	for _, c := range all {
		c.Close()
	}
}
