package js

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// numbered are n items, the word first.
func numbered(word string, n int) []message {
	items := []message{{Data: word}}
	for i := 1; i < n; i++ {
		items = append(items, message{Data: fmt.Sprint(i)})
	}
	return items
}

func TestTheyOpenAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		items := numbered("first", 200)
		items[7].Metadata = "with metadata"
		p := theyAsk(t, l, theyDial, terms{}, "channel", options{"items": wire(items...), "window": window})
		want(t, p.result(), result{Items: items, Sent: len(items), Complete: true})
		await.Until(t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
	})
}

func TestWeOpenAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		items := numbered("first", 200)
		items[7].Metadata = "with metadata"
		ch := p.open(items[0])
		sent := send(ch, items[1:]...)
		if l.noMetadataOut {
			items = slices.Clone(items)
			items[7].Metadata = ""
		}
		want(t, p.rest(ch), items)
		want(t, await.Value(t, "all is sent", sent), nil)
		p.answers()
	})
}

func (p *pair) open(first message) rsocket.Channel {
	p.t.Helper()
	ch, err := p.conn.OpenChannel(p.t.Context(), first.payload())
	if err != nil {
		p.t.Fatal(err)
	}
	return ch
}

// send sends items on a channel, and then its end.
func send(ch rsocket.Channel, items ...message) <-chan error {
	sent := make(chan error, 1)
	go func() {
		for _, m := range items {
			if err := ch.Send(context.Background(), m.payload()); err != nil { // which the connection's end ends
				sent <- err
				return
			}
		}
		sent <- ch.CloseSend()
	}()
	return sent
}

// rest takes what comes until the other half is complete.
func (p *pair) rest(ch rsocket.Channel) (items []message) {
	p.t.Helper()
	for {
		item, err := ch.Recv(await.Context(p.t))
		if errors.Is(err, io.EOF) {
			return items
		}
		if err != nil {
			p.t.Fatal(err)
		}
		items = append(items, told(item))
	}
}

// The requester's half ends first: what the responder sends comes after it.
func TestTheyEndTheirHalf(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		items := numbered("count 20", 12)
		got := theyAsk(t, l, theyDial, terms{}, "channel", options{"items": wire(items...), "window": 3}).result()
		want(t, got, result{Items: counted(20, ""), Sent: len(items), Complete: true})
	})
}

func counted(n int, metadata string) (items []message) {
	for i := range n {
		m := message{Data: fmt.Sprint(i)}
		if metadata != "" {
			m.Metadata = metadata + m.Data
		}
		items = append(items, m)
	}
	return items
}

func TestWeEndOurHalf(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.open(message{Data: "count 20"})
		sent := send(ch, numbered("", 12)...)
		want(t, p.rest(ch), counted(20, ""))
		want(t, await.Value(t, "all is sent", sent), nil)
		p.answers()
	})
}

// The responder's half ends first: what the requester sends goes on.
func TestWeEndTheAnsweringHalf(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		items := numbered("leave", 100)
		p := theyAsk(t, l, theyDial, terms{}, "channel", options{"items": wire(items...), "window": 3})
		want(t, p.result(), result{Sent: len(items), Complete: true})
		want(t, await.Value(t, "the rest", p.forgot), message{Data: fmt.Sprint(len(items) - 1)})
	})
}

func TestTheyEndTheAnsweringHalf(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		items := numbered("leave", 100)
		ch := p.open(items[0])
		if got := p.rest(ch); len(got) > 0 {
			t.Errorf("got %q, want nothing", got)
		}
		want(t, await.Value(t, "all is sent", send(ch, items[1:]...)), nil)
		want(t, p.saw("rest").Items, len(items)-1)
		p.answers()
	})
}

// The responder takes a few and wants no more: only the requester's sending half ends by that.
func TestWeTakeAFew(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "channel", options{"items": wire(numbered("take 5", 100)...), "window": 3})
		got := p.result()
		if !got.Canceled || !got.Complete || got.Error != nil {
			t.Errorf("got %+v, want that it was canceled, and our half complete", got)
		}
		if got.Sent < 5 || got.Sent > 1+2*window {
			t.Errorf("they sent %d, want 5 and no more than they had credit for", got.Sent)
		}
	})
}

func TestTheyTakeAFew(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.open(message{Data: "take 5"})
		sent := 1
		for ; ; sent++ {
			err := ch.Send(await.Context(t), message{Data: fmt.Sprint(sent)}.payload())
			if errors.Is(err, rsocket.ErrCanceled) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		want(t, sent, 5) // the credit that they gave, to the item
		want(t, p.saw("taken").Items, 5)
		if got := p.rest(ch); len(got) > 0 {
			t.Errorf("got %q, want nothing", got)
		}
		p.answers()
	})
}

// Nobody takes what they send: they stop at the credit that our window is.
func TestTheyStopWithoutCredit(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "stuck", options{"items": wire(numbered("gate", 100)...)})
		want(t, await.Value(t, "they have sent what they could", p.hung), "gate")
		close(p.gate)
		want(t, p.result().Sent, 1+window)
	})
}

// We take nothing of what they send: they stop at the credit that our window is.
func TestTheyStopAnsweringWithoutCredit(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.open(message{Data: "count 100"})
		if err := ch.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			p.quiet()
		}
		ch.Cancel()
		want(t, p.saw("released").Sent, window)
	})
}

func TestTheyCancelAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "channel", options{
			"items": wire(numbered("first", 100)...), "window": 3, "cancelAfter": 10,
		})
		want(t, p.result().Items, numbered("first", 10))
		want(t, await.Value(t, "the handler is told to stop", p.released), "channel")
		await.Until(t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
	})
}

func TestWeCancelAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.open(message{Data: "hang"})
		p.saw("hang")
		ch.Cancel()
		if _, err := ch.Recv(t.Context()); !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		if err := ch.Send(t.Context(), rsocket.Payload{}); !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		p.saw("released")
		p.answers()
	})
}

func TestManyChannelsAtOnce(t *testing.T) {
	const channels = 100
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		errs := make(chan error, channels)
		for i := range channels {
			ch := p.open(message{Data: fmt.Sprint("channel ", i)})
			go func() { errs <- echoed(t.Context(), ch, fmt.Sprint("channel ", i)) }()
		}
		for range channels {
			if err := await.Value(t, "a channel", errs); err != nil {
				t.Error(err)
			}
		}
		p.answers()
	})
}

// echoed sends a few items on a channel and wants them back.
func echoed(ctx context.Context, ch rsocket.Channel, first string) error {
	next := first
	for i := range 10 {
		p, err := ch.Recv(ctx)
		if err != nil || string(p.Data) != next {
			return fmt.Errorf("got %q, %w, want %q", p.Data, err, next)
		}
		next = fmt.Sprint(first, " item ", i)
		if err := ch.Send(ctx, rsocket.Payload{Data: []byte(next)}); err != nil {
			return err
		}
	}
	_ = ch.CloseSend() // Recv tells what went wrong
	if p, err := ch.Recv(ctx); err != nil || string(p.Data) != next {
		return fmt.Errorf("got %q, %w, want %q", p.Data, err, next)
	}
	if _, err := ch.Recv(ctx); !errors.Is(err, io.EOF) {
		return fmt.Errorf("got %w, want the end", err)
	}
	return nil
}
