package js

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"

	"warmline.dev/protocol/rsocket"
)

// message is a payload; a part that is absent is empty.
type message struct{ Data, Metadata string }

func (m message) payload() rsocket.Payload {
	p := rsocket.Payload{Data: []byte(m.Data)}
	if m.Metadata != "" {
		p.Metadata = []byte(m.Metadata)
	}
	return p
}

// told is a payload as the programs tell it: a long part as its length and digest.
func told(p rsocket.Payload) message { return message{short(p.Data), short(p.Metadata)} }

func short(b []byte) string {
	if len(b) > 1000 {
		return digest(b)
	}
	return string(b)
}

func digest(b []byte) string { return fmt.Sprintf("%d %x", len(b), sha256.Sum256(b)) }

// pattern is n bytes of which no stretch repeats soon; the programs make the same.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>8*7 + i>>16)
	}
	return b
}

// refusal is what "refuse" is answered with.
var refusal = failure{0x305, "who is asking?"}

func (f failure) err() error { return &rsocket.Error{Code: rsocket.Code(f.Code), Message: f.Message} }

// window is the credit that either end gives on a channel, and we on a stream.
const window = 8

// witness is what our end saw of the requests that came to it.
type witness struct {
	hung     chan string  // a request of this model hangs
	released chan string  // its handler was told to stop
	failed   chan failure // a channel's requester ended it so
	forgot   chan message // a fire-and-forget, or what else is noted
	pushed   chan string
	sent     atomic.Int64 // items that left on streams and channels
	gate     chan struct{}
}

func newWitness() *witness {
	return &witness{
		hung: make(chan string, 16), released: make(chan string, 16), failed: make(chan failure, 16),
		forgot: make(chan message, 16), pushed: make(chan string, 16), gate: make(chan struct{}),
	}
}

func (w *witness) hang(ctx context.Context, model string) error {
	w.hung <- model
	<-ctx.Done()
	w.released <- model
	return ctx.Err()
}

// handler answers as the programs do, see peer/responder.js.
func (w *witness) handler() rsocket.Handler {
	return rsocket.Handler{
		MetadataPush:  func(metadata []byte) { w.pushed <- string(metadata) },
		Response:      w.response,
		Channel:       w.channel,
		Stream:        w.stream,
		FireAndForget: func(_ context.Context, p rsocket.Payload) { w.forgot <- told(p) },
	}
}

func words(p rsocket.Payload) (word string, n int) {
	if string(p.Metadata) == "digest" {
		return "digest", 0
	}
	if len(p.Data) > 100 {
		return "", 0
	}
	word, number, _ := strings.Cut(string(p.Data), " ")
	n, _ = strconv.Atoi(number) // none is 0
	return word, n
}

func (w *witness) response(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
	switch word, n := words(p); word {
	case "refuse":
		return rsocket.Payload{}, refusal.err()
	case "break":
		return rsocket.Payload{}, errors.New("it broke")
	case "hang":
		return rsocket.Payload{}, w.hang(ctx, "response")
	case "give":
		return rsocket.Payload{Data: pattern(n)}, nil
	case "digest":
		return rsocket.Payload{Data: []byte(digest(p.Data))}, nil
	case "note":
		w.forgot <- message{string(p.Data), string(p.Metadata)}
	case "gate":
		w.hung <- "gate"
		<-w.gate
	}
	return p, nil
}

func (w *witness) stream(ctx context.Context, p rsocket.Payload, out rsocket.Channel) (err error) {
	defer func() {
		if ctx.Err() != nil {
			w.released <- "stream"
		}
	}()
	word, n := words(p)
	switch word {
	case "hang":
		w.hung <- "stream"
		<-ctx.Done()
		return ctx.Err()
	case "halves": // the second when the gate opens
		if err := w.count(ctx, out, 0, n/2, ""); err != nil {
			return err
		}
		w.hung <- "stream"
		<-w.gate
		return w.count(ctx, out, n/2, n, "")
	case "give":
		return out.Send(ctx, rsocket.Payload{Data: pattern(n)})
	case "void":
		for range n {
			if err := out.Send(ctx, rsocket.Payload{}); err != nil {
				return err
			}
		}
		return nil
	}
	err = w.count(ctx, out, 0, n, string(p.Metadata))
	if word == "refuse" && err == nil {
		return refusal.err()
	}
	return err
}

func (w *witness) channel(ctx context.Context, ch rsocket.Channel) error {
	p, err := ch.Recv(ctx)
	if err != nil {
		return err
	}
	switch word, n := words(p); word {
	case "refuse":
		return refusal.err()
	case "hang":
		return w.hang(ctx, "channel")
	case "take":
		for i := 1; i < n && err == nil; i++ {
			_, err = ch.Recv(ctx)
		}
		return err // wants no more, and completes its own half
	case "leave":
		if err := ch.CloseSend(); err != nil {
			return err
		}
		rest, err := drain(ctx, ch)
		w.forgot <- message{Data: strconv.Itoa(rest)}
		return err
	case "count":
		if _, err := drain(ctx, ch); err != nil {
			return err
		}
		return w.count(ctx, ch, 0, n, "")
	case "gate":
		<-w.gate
	}
	return w.echo(ch, p)
}

// echo waits without the request's context: that ends in any case, and only the channel says why.
func (w *witness) echo(ch rsocket.Channel, p rsocket.Payload) (err error) {
	for ; err == nil; p, err = ch.Recv(context.Background()) {
		if err = ch.Send(context.Background(), p); err != nil {
			break
		}
		w.sent.Add(1)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if f := remote(err); f != (failure{}) {
		w.failed <- f
		return err
	}
	w.released <- "channel"
	return err
}

// drain takes what comes until the other half is complete, and counts it.
func drain(ctx context.Context, ch rsocket.Channel) (n int, err error) {
	for {
		if _, err := ch.Recv(ctx); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

// count sends items from one number up to another; they have metadata if it is given.
func (w *witness) count(ctx context.Context, out rsocket.Channel, from, to int, metadata string) error {
	for i := from; i < to; i++ {
		m := message{Data: strconv.Itoa(i)}
		if metadata != "" {
			m.Metadata = metadata + m.Data
		}
		if err := out.Send(ctx, m.payload()); err != nil {
			return err
		}
		w.sent.Add(1)
	}
	return nil
}
