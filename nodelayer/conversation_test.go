package nodelayer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func call[T any](ctx context.Context, c *nodelayer.Conversation, method string, args any) (T, error) {
	return nodelayer.Call[T](ctx, c, method, args)
}

// parrot is an edge that answers each call with its arguments, and tells what
// each channel began with.
func parrot(t testing.TB) (*byHand, <-chan rsocket.Payload) {
	firsts := make(chan rsocket.Payload, 100)
	return playEdge(t, rsocket.Handler{
		Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			return rsocket.Payload{Data: p.Data}, nil
		},
		Channel: func(ctx context.Context, ch rsocket.Channel) error {
			for first := true; ; first = false {
				p, err := ch.Recv(ctx)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if first {
					firsts <- p
				}
				m, _, err := protocol.MsgPack.NextMessage(p.Data, 1<<20)
				if err != nil || m.Kind != protocol.KindCall {
					continue
				}
				data, err := protocol.MsgPack.AppendMessage(nil, &protocol.Message{Kind: protocol.KindReply, ID: m.ID, Value: m.Value})
				if err != nil {
					return err
				}
				if err := ch.Send(ctx, rsocket.Payload{Data: data}); err != nil {
					return err
				}
			}
		},
	}), firsts
}

func TestNothingIsSentBeforeTheFirstCall(t *testing.T) {
	b, firsts := parrot(t)
	e := dial(t, b.addr)
	c := converse(t, e)
	silent := converse(t, e)
	if _, err := nodelayer.Ask[int](t.Context(), e, "a.b", 1); err != nil { // what was sent before is there now
		t.Fatal(err)
	}
	silent.Close()
	if _, err := nodelayer.Ask[int](t.Context(), e, "a.b", 1); err != nil {
		t.Fatal(err)
	}
	if n := len(firsts); n != 0 {
		t.Fatalf("%d channels were opened before a call", n)
	}
	for i := range 3 {
		if got, err := call[int](t.Context(), c, "a.b", i); err != nil || got != i {
			t.Errorf("got %d, %v", got, err)
		}
	}
	if n := len(firsts); n != 1 {
		t.Errorf("%d channels were opened for three calls", n)
	}
}

func TestTheFirstCallCarriesWhatTheContextHas(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	b, firsts := parrot(t)
	ctx := protocol.WithTraceparent(passport.NewContext(t.Context(), passport.NewCarrier([]byte("sealed"))), trace)
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	c := converseIn(t, ctx, dial(t, b.addr))
	if _, err := call[int](context.Background(), c, "a.b", 1); err != nil {
		t.Fatal(err)
	}
	md, err := protocol.ParseMetadata((<-firsts).Metadata)
	if err != nil {
		t.Fatal(err)
	}
	if md.Route != protocol.RouteConversation || string(md.Passport) != "sealed" || md.Traceparent != trace {
		t.Errorf("got %+v", md)
	}
	if md.Budget > time.Hour || md.Budget < time.Hour/2 {
		t.Errorf("the budget is %v, want nearly an hour", md.Budget)
	}
	if _, err := call[int](t.Context(), converse(t, dial(t, b.addr)), "a.b", 1); err != nil {
		t.Fatal(err)
	}
	if md, err = protocol.ParseMetadata((<-firsts).Metadata); err != nil || md.Passport != nil || md.Traceparent != "" || md.Budget != 0 {
		t.Errorf("of an empty context: got %+v, %v", md, err)
	}
}

func TestManyGoroutinesInOneConversation(t *testing.T) {
	e := serve(t, films("2.1.3"))
	c := converse(t, dial(t, e.addr))
	var wg sync.WaitGroup
	var most atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			for j := range 20 {
				in := film{ID: i, Title: fmt.Sprintf("%d/%d", i, j)}
				if got, err := call[film](t.Context(), c, "films.echo", in); err != nil || got.ID != in.ID || got.Title != in.Title {
					t.Errorf("got %+v, %v, want %+v", got, err, in)
					return
				}
				most.Store(max(most.Load(), e.Stats().Conversations))
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n != 1 {
		t.Errorf("there were %d conversations, want 1", n)
	}
}

func TestAnswersFindTheirCalls(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	results := [4]<-chan int{}
	for n := 1; n <= 3; n++ {
		result := make(chan int, 1)
		results[n] = result
		go func() {
			got, err := call[int](context.Background(), c, "gate.wait", number{n})
			if err != nil {
				t.Error(err)
			}
			result <- got
		}()
	}
	g.wantEntered(t, 3)
	for _, n := range []int{3, 1, 2} {
		g.letGo(n)
		if got := await.Value(t, "the answer", results[n]); got != n {
			t.Errorf("call %d got the answer %d", n, got)
		}
	}
}

func TestConversationsOfOneLineAreSeparate(t *testing.T) {
	g, gates := newGate()
	e := dial(t, serve(t, gates, films("2.1.3")).addr)
	slow, quick := converse(t, e), converse(t, e)
	done := later(func() error { return errOf(call[int](context.Background(), slow, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	if _, err := call[film](t.Context(), quick, "films.echo", nil); err != nil {
		t.Error(err)
	}
	quick.Close()
	g.letGo(1)
	if err := await.Value(t, "the slow call", done); err != nil {
		t.Error(err)
	}
}
