package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/sample"
	"warmline.dev/internal/sample/declared"
	"warmline.dev/internal/sample/service"
	"warmline.dev/internal/sample/tv"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol/rsocket"
)

// tiers is the whole system in this process, over loopback.
type tiers struct {
	edge    *nodelayer.Edge // of tv 2.0.0
	gateway *gateway.Server
}

func startTiers(b *testing.B) *tiers {
	b.Helper()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	samples, err := sample.Start(sample.Config{Latency: -1})
	check(err)
	b.Cleanup(func() { _ = samples.Shutdown(context.Background()) })
	tier, err := declared.New(samples, "")
	check(err)
	b.Cleanup(tier.Close)
	keys, err := passport.NewKeyring(passport.NewKey("bench"))
	check(err)
	srv, err := edgelayer.New(edgelayer.Config{Services: tier.Services(), Keys: keys})
	check(err)
	edgeAt := serving.Start(b, srv.Serve, srv.Close)
	gw, err := gateway.New(gateway.Config{Keys: keys, Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
		return passport.Passport{Profile: "paul", Level: passport.Recognised}, nil
	}})
	check(err)
	linesAt := serving.Start(b, gw.ServeLines, gw.Close)
	v := tv.Versions()[1]
	edge, err := nodelayer.Dial(b.Context(), nodelayer.Config{Edges: []string{edgeAt}, Name: tv.App, Version: v.Version, Wants: v.Wants})
	check(err)
	b.Cleanup(func() { _ = edge.Close() })
	a, err := adapter.Serve(b.Context(), adapter.Config{Name: tv.App, Version: v.Version, Handler: v.Handler(edge), Gateways: []string{linesAt}})
	check(err)
	b.Cleanup(func() { _ = a.Shutdown(context.Background()) })
	return &tiers{edge, gw}
}

func (t *tiers) page(b *testing.B) {
	w := httptest.NewRecorder()
	t.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/tv@^2/home", nil))
	if w.Code != http.StatusOK {
		b.Errorf("%d %s", w.Code, w.Body)
	}
}

// BenchmarkDeviceRequest is a page through gateway, adapter and edge, all warm.
func BenchmarkDeviceRequest(b *testing.B) {
	t := startTiers(b)
	t.page(b)
	b.ReportAllocs()
	for b.Loop() {
		t.page(b)
	}
}

// BenchmarkConversation is a conversation with one call, answered from memory.
func BenchmarkConversation(b *testing.B) {
	t := startTiers(b)
	b.ReportAllocs()
	for b.Loop() {
		conv := t.edge.Converse(b.Context())
		if _, err := nodelayer.Call[service.Videos2](b.Context(), conv, "catalogue.videos", service.VideosByID{IDs: []int{17}}); err != nil {
			b.Fatal(err)
		}
		conv.Close()
	}
}

// BenchmarkFollowUp is one more call in a conversation that is open.
func BenchmarkFollowUp(b *testing.B) {
	t := startTiers(b)
	conv := t.edge.Converse(b.Context())
	defer conv.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nodelayer.Call[service.Videos2](b.Context(), conv, "catalogue.videos", service.VideosByID{IDs: []int{17}}); err != nil {
			b.Fatal(err)
		}
	}
}

func engine(b *testing.B) *rsocket.Conn {
	b.Helper()
	srv, err := rsocket.NewServer(func(context.Context, *rsocket.Conn) (rsocket.Handler, error) {
		return rsocket.Handler{
			Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) { return p, nil },
			Channel: func(ctx context.Context, ch rsocket.Channel) error {
				for {
					p, err := ch.Recv(ctx)
					if err == io.EOF {
						return nil
					}
					if err == nil {
						err = ch.Send(ctx, p)
					}
					if err != nil {
						return err
					}
				}
			},
		}, nil
	}, rsocket.Config{})
	if err != nil {
		b.Fatal(err)
	}
	conn, err := rsocket.Dial(b.Context(), serving.Start(b, srv.Serve, srv.Close), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// BenchmarkEcho is the engine alone: request-response of 256 bytes, one at a
// time and 128 in flight, client and server in this process.
func BenchmarkEcho(b *testing.B) {
	payload := rsocket.Payload{Data: make([]byte, 256)}
	b.Run("1", func(b *testing.B) {
		conn := engine(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := conn.Call(b.Context(), payload); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("128", func(b *testing.B) {
		conn := engine(b)
		b.ReportAllocs()
		b.SetParallelism(64) // times the processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := conn.Call(context.Background(), payload); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkChannel is the engine alone: items of 256 bytes through an echoing
// channel, the sender and the receiver at the same time.
func BenchmarkChannel(b *testing.B) {
	conn := engine(b)
	payload := rsocket.Payload{Data: make([]byte, 256)}
	ch, err := conn.OpenChannel(b.Context(), payload)
	if err != nil {
		b.Fatal(err)
	}
	defer ch.Cancel()
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if ch.Send(context.Background(), payload) != nil {
				return
			}
		}
	}()
	for range b.N {
		if _, err := ch.Recv(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
