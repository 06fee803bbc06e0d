package js

import (
	"errors"
	"fmt"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// streams are requests, and what they bring.
var streams = []struct {
	name    string
	request message
	items   []message
	error   *failure
}{
	{"many", message{Data: "count 200"}, counted(200, ""), nil},
	{"with metadata", message{Data: "count 20", Metadata: "item "}, counted(20, "item "), nil},
	{"of empty payloads", message{Data: "void 3"}, make([]message, 3), nil},
	{"empty", message{Data: "count 0"}, nil, nil},
	{"refused", message{Data: "refuse"}, nil, &refusal},
	{"broken off", message{Data: "refuse 20"}, counted(20, ""), &refusal},
}

func TestTheyRequestStreams(t *testing.T) {
	var requests []message
	var results []result
	for _, s := range streams {
		requests = append(requests, s.request)
		r := result{Items: s.items, Error: s.error}
		if s.error == nil {
			r.End = "complete"
		}
		results = append(results, r)
	}
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "streams", options{"requests": wire(requests...)})
		want(t, p.result().Results, results)
		await.Until(t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
	})
}

func TestWeRequestStreams(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		for _, s := range streams {
			t.Run(s.name, func(t *testing.T) {
				p.t = t
				ch := p.stream(s.request)
				for _, m := range s.items {
					if l.noMetadataOut {
						m.Metadata = ""
					}
					got, err := ch.Recv(await.Context(t))
					if err != nil {
						t.Fatal(err)
					}
					want(t, told(got), m)
				}
				if s.error == nil {
					want(t, p.rest(ch), nil)
					return
				}
				_, err := ch.Recv(await.Context(t))
				want(t, remote(err), l.sends(*s.error))
			})
		}
		p.t = t
		p.answers()
	})
}

func (p *pair) stream(request message) rsocket.Channel {
	p.t.Helper()
	ch, err := p.conn.OpenStream(p.t.Context(), request.payload())
	if err != nil {
		p.t.Fatal(err)
	}
	return ch
}

// They grant 3 items, then 2, and then give up: we send no more than that.
func TestWeKeepToTheirCredit(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "stream", options{
			"request": wire(message{Data: "count 100"})[0], "credit": []int{3, 2}, "cancel": true,
		})
		want(t, p.result(), result{Items: counted(5, ""), End: "canceled"})
		want(t, await.Value(t, "the handler is told to stop", p.released), "stream")
		want(t, p.sent.Load(), 5)
	})
}

// We take 3 items, and then give up: they send no more than we granted.
func TestTheyKeepToOurCredit(t *testing.T) {
	const taken = 3
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.stream(message{Data: "count 100"})
		for i := range taken {
			got, err := ch.Recv(await.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			want(t, told(got), message{Data: fmt.Sprint(i)})
		}
		for range 3 {
			p.quiet()
		}
		ch.Cancel()
		if sent := p.saw("released").Sent; sent < window || sent > taken+window {
			t.Errorf("they sent %d items, want %d to %d", sent, window, taken+window)
		}
		p.answers()
	})
}

func TestWeCancelAStream(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ch := p.stream(message{Data: "hang"})
		p.saw("hang")
		ch.Cancel()
		if _, err := ch.Recv(t.Context()); !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		p.saw("released")
		p.answers()
	})
}

func TestManyStreamsAtOnce(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		var all []rsocket.Channel
		for range many {
			all = append(all, p.stream(message{Data: "count 20"}))
		}
		for _, ch := range all {
			want(t, p.rest(ch), counted(20, ""))
		}
		p.answers()
	})
}
