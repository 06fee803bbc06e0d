package js

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warmline.dev/internal/await"
)

// plain are requests that are sent back as they came.
var plain = []message{
	{Data: "data alone"},
	{Data: "data", Metadata: "and metadata"},
	{Metadata: "metadata alone"},
	{},
	{Data: "ünïcödé \x00 and a zero"},
}

func TestTheyCall(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		got := theyAsk(t, l, theyDial, terms{}, "responses", options{"requests": wire(plain...)}).result()
		want(t, got.Replies, replies(plain...))
	})
}

func TestWeCall(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		for _, m := range plain {
			reply, err := p.conn.Call(t.Context(), m.payload())
			if err != nil {
				t.Fatal(err)
			}
			if l.noMetadataOut {
				m.Metadata = ""
			}
			if told(reply) != m {
				t.Errorf("got %q, want %q", told(reply), m)
			}
		}
	})
}

const many = 300

func TestTheyCallManyAtOnce(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		var requests []message
		for i := range many {
			requests = append(requests, message{Data: fmt.Sprint(i)})
		}
		got := theyAsk(t, l, theyDial, terms{}, "responses", options{"requests": wire(requests...)}).result()
		want(t, got.Replies, replies(requests...))
	})
}

func TestWeCallManyAtOnce(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				want := message{Data: fmt.Sprint(i)}
				if got, err := p.conn.Call(t.Context(), want.payload()); err != nil || told(got) != want {
					t.Errorf("got %q, %v, want %q", told(got), err, want)
				}
			})
		}
		all.Wait()
	})
}

func TestTheyGiveUp(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "cancel", nil)
		if got := p.result(); got.Outcome != nil {
			t.Errorf("the request that was given up came to %+v", got.Outcome)
		}
		await.Value(t, "the handler is told to stop", p.released)
	})
}

func TestWeGiveUp(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		ctx, cancel := context.WithCancel(t.Context())
		outcome := make(chan error, 1)
		go func() {
			_, err := p.conn.Call(ctx, message{Data: "hang"}.payload())
			outcome <- err
		}()
		p.saw("hang")
		cancel()
		if err := await.Value(t, "the outcome", outcome); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was canceled", err)
		}
		p.saw("released")
		p.answers()
	})
}

// answers wants the connection to be of use, and nothing to be under way on our side.
func (p *pair) answers() {
	p.t.Helper()
	p.quiet()
	await.Until(p.t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
}

// quiet returns when they have answered what they were asked before.
func (p *pair) quiet() {
	p.t.Helper()
	reply, err := p.conn.Call(p.t.Context(), message{Data: "still there?"}.payload())
	if err != nil || told(reply).Data != "still there?" {
		p.t.Errorf("the connection is of no use any more: %q, %v", told(reply), err)
	}
}

// wire is how the programs are told of payloads: an absent part is left out.
func wire(all ...message) (list []map[string]string) {
	for _, m := range all {
		w := map[string]string{}
		if m.Data != "" {
			w["data"] = m.Data
		}
		if m.Metadata != "" {
			w["metadata"] = m.Metadata
		}
		list = append(list, w)
	}
	return list
}

func replies(all ...message) (list []reply) {
	for _, m := range all {
		list = append(list, reply{message: m})
	}
	return list
}

// want compares what a test got.
func want[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
