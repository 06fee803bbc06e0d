package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var responseCases = []Case{
	{"a request is answered with its payload", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo()})
		for _, p := range []rsocket.Payload{
			{},
			{Data: []byte("data")},
			{Metadata: []byte("metadata")},
			{Metadata: []byte("metadata"), Data: []byte("data")},
			{Metadata: bytes.Repeat([]byte("m"), 70_000), Data: bytes.Repeat([]byte("0123456789abcdef"), 1<<16)},
		} {
			got, err := asks.Call(await.Context(t), p)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "the answer", got, p)
		}
	}},
	{"empty metadata of a request is told from none", func(t *testing.T, connect Connect) {
		got := make(chan rsocket.Payload, 1)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			got <- p
			return rsocket.Payload{}, nil
		}}})
		for _, p := range []rsocket.Payload{{Metadata: []byte{}, Data: []byte("d")}, {Data: []byte("d")}} {
			if _, err := asks.Call(await.Context(t), p); err != nil {
				t.Fatal(err)
			}
			same(t, "the request", <-got, p)
		}
	}},
	{"empty metadata of an answer is told from none", func(t *testing.T, connect Connect) {
		answer := make(chan rsocket.Payload, 1)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			return <-answer, nil
		}}})
		for _, p := range []rsocket.Payload{{Metadata: []byte{}, Data: []byte("d")}, {Data: []byte("d")}} {
			answer <- p
			got, err := asks.Call(await.Context(t), rsocket.Payload{})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "the answer", got, p)
		}
	}},
	{"a request larger than a frame arrives", func(t *testing.T, connect Connect) {
		got := make(chan rsocket.Payload, 1)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			got <- p
			return rsocket.Payload{}, nil
		}}})
		if _, err := asks.Call(await.Context(t), Large); err != nil {
			t.Fatal(err)
		}
		same(t, "the request", <-got, Large)
	}},
	{"an answer larger than a frame arrives", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			return Large, nil
		}}})
		got, err := asks.Call(await.Context(t), rsocket.Payload{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the answer", got, Large)
	}},
	{"a payload above MaxPayload is not sent", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo(), Config: rsocket.Config{MaxPayload: 100}})
		large := text(string(make([]byte, 101)))
		if _, err := asks.Call(await.Context(t), large); !errors.Is(err, rsocket.ErrTooLarge) {
			t.Errorf("request-response: %v", err)
		}
		if err := asks.FireAndForget(await.Context(t), large); !errors.Is(err, rsocket.ErrTooLarge) {
			t.Errorf("fire-and-forget: %v", err)
		}
		ch := open(t, asks, "0")
		if err := ch.Send(await.Context(t), large); !errors.Is(err, rsocket.ErrTooLarge) {
			t.Errorf("item: %v", err)
		}
		send(t, ch, 1, 2) // the channel is unharmed
		want(t, ch, 0, 2)
		ch.Cancel()
	}},
	{"a payload may be changed once it was handed over", func(t *testing.T, connect Connect) {
		got := make(chan string, 64)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{FireAndForget: func(_ context.Context, p rsocket.Payload) {
			got <- string(p.Metadata) + string(p.Data)
		}}})
		buffer := bytes.Repeat([]byte{'x'}, 2_000)
		for range cap(got) {
			copy(buffer, "right")
			if err := asks.FireAndForget(await.Context(t), rsocket.Payload{Metadata: buffer[:3], Data: buffer[3:]}); err != nil {
				t.Fatal(err)
			}
			copy(buffer, "wrong")
		}
		for range cap(got) {
			if s := await.Value(t, "a request", got); s[:5] != "right" {
				t.Fatalf("got %q…", s[:5])
			}
		}
	}},
	{"requests that are being answered are bounded in bytes", func(t *testing.T, connect Connect) {
		release := make(chan struct{})
		asks, _ := connect(t, Options{Config: rsocket.Config{MaxUnread: 10_000}, Answers: rsocket.Handler{
			Response: func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return rsocket.Payload{}, nil
			},
			Channel: func(ctx context.Context, _ rsocket.Channel) error {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return nil
			},
		}})
		large := rsocket.Payload{Data: make([]byte, 4_000)}
		ch, err := asks.OpenChannel(await.Context(t), large)
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Cancel()
		answered := make(chan error, 2)
		for range cap(answered) {
			go func() {
				_, err := asks.Call(await.Context(t), large)
				answered <- err
			}()
		}
		wantError(t, await.Value(t, "the one too many", answered), frame.CodeRejected, "the requests and items of this connection that wait exceed 10000 bytes")
		close(release)
		if err := await.Value(t, "the other", answered); err != nil {
			t.Error(err)
		}
		if _, err := asks.Call(await.Context(t), large); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
	}},
	{"many requests at once get their own answers", func(t *testing.T, connect Connect) {
		asks, answers := connect(t, Options{Answers: echo(), Asks: echo()})
		var wg sync.WaitGroup
		for i := range 32 {
			for name, end := range map[string]End{"one": asks, "other": answers} {
				wg.Go(func() {
					for j := range 25 {
						p := rsocket.Payload{Metadata: []byte(name), Data: fmt.Appendf(nil, "%d/%d", i, j)}
						got, err := end.Call(await.Context(t), p)
						if err != nil {
							t.Error(err)
							return
						}
						same(t, "the answer", got, p)
					}
				})
			}
		}
		wg.Wait()
	}},
	{"payloads of many sizes at once arrive whole", func(t *testing.T, connect Connect) {
		asks, answers := connect(t, Options{Answers: echo(), Asks: echo()})
		var wg sync.WaitGroup
		for i := range 16 {
			for _, end := range []End{asks, answers} {
				wg.Go(func() {
					for size := i; size < 100_000; size = 3*size + 1 {
						p := text(strings.Repeat(string(rune('a'+i)), size))
						got, err := end.Call(await.Context(t), p)
						if err != nil {
							t.Error(err)
							return
						}
						same(t, "the answer", got, p)
					}
				})
			}
		}
		wg.Wait()
	}},
	{"fire-and-forget arrives", func(t *testing.T, connect Connect) {
		got := make(chan rsocket.Payload, 3)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{FireAndForget: func(_ context.Context, p rsocket.Payload) { got <- p }}})
		for range cap(got) {
			p := rsocket.Payload{Metadata: []byte("m"), Data: []byte("d")}
			if err := asks.FireAndForget(await.Context(t), p); err != nil {
				t.Fatal(err)
			}
			same(t, "the request", await.Value(t, "the request", got), p)
		}
	}},
	{"pushed metadata arrives in order", func(t *testing.T, connect Connect) {
		const n = 100
		got := make(chan string, n)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{MetadataPush: func(m []byte) { got <- string(m) }}})
		for i := range n {
			if err := asks.PushMetadata(await.Context(t), fmt.Appendf(nil, "%.*d", i, i)); err != nil { // the first is empty
				t.Fatal(err)
			}
		}
		for i := range n {
			if s, want := await.Value(t, "metadata", got), fmt.Sprintf("%.*d", i, i); s != want {
				t.Fatalf("got %q, want %q", s, want)
			}
		}
	}},
	{"an error keeps its code and text", func(t *testing.T, connect Connect) {
		custom := &rsocket.Error{Code: 0x305, Message: "custom"}
		for want, err := range map[rsocket.Error]error{
			{Code: 0x305, Message: "custom"}:                                      fmt.Errorf("wrapped: %w", custom),
			{Code: frame.CodeApplication, Message: "it broke"}:                    errors.New("it broke"),
			{Code: frame.CodeInvalid, Message: ""}:                                &rsocket.Error{Code: frame.CodeInvalid},
			{Code: frame.CodeApplication, Message: "rsocket: REJECTED_SETUP: no"}: &rsocket.Error{Code: frame.CodeRejectedSetup, Message: "no"},
		} {
			asks, _ := connect(t, Options{Answers: failing(err)})
			_, err := asks.Call(await.Context(t), rsocket.Payload{})
			wantError(t, err, want.Code, want.Message)
			wantError(t, recvError(t, stream(t, asks, "")), want.Code, want.Message)
			ch := open(t, asks, "")
			wantError(t, recvError(t, ch), want.Code, want.Message)
			wantError(t, ch.Send(await.Context(t), text("x")), want.Code, want.Message)
		}
	}},
	{"what is not served is rejected", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{})
		_, err := asks.Call(await.Context(t), rsocket.Payload{})
		wantError(t, err, frame.CodeRejected, "REQUEST_RESPONSE is not served here")
		wantError(t, recvError(t, stream(t, asks, "")), frame.CodeRejected, "REQUEST_STREAM is not served here")
		wantError(t, recvError(t, open(t, asks, "")), frame.CodeRejected, "REQUEST_CHANNEL is not served here")
		if err := asks.FireAndForget(await.Context(t), rsocket.Payload{}); err != nil {
			t.Error(err)
		}
		if err := asks.PushMetadata(await.Context(t), nil); err != nil {
			t.Error(err)
		}
	}},
}

// Large is a payload that no single frame holds.
var Large = rsocket.Payload{Metadata: []byte("m"), Data: bytes.Repeat([]byte("0123456789abcdef"), 1<<20+1)}

// failing fails every request with err.
func failing(err error) rsocket.Handler {
	return rsocket.Handler{
		Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) { return rsocket.Payload{}, err },
		Stream:   func(context.Context, rsocket.Payload, rsocket.Channel) error { return err },
		Channel:  func(context.Context, rsocket.Channel) error { return err },
	}
}
