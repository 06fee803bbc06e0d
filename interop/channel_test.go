package interop

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

const many = 400

func numbered(n int) []string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprint("item ", i)
	}
	return items
}

// wantAll receives to the end and compares.
func wantAll(t *testing.T, s stream, items []string) {
	t.Helper()
	got := within(t, "the channel's end", func() error {
		for i, want := range items {
			if item, err := s.recv(); item != want || err != nil {
				return fmt.Errorf("item %d: got %q, %w, want %q", i, item, err, want)
			}
		}
		item, err := s.recv()
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("behind the last item: got %q, %w, want the end", item, err)
		}
		return nil
	})
	if got != nil {
		t.Error(got)
	}
}

func TestChannel(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		for _, n := range []int{1, 2, window, window + 1, window + 2, many} {
			items := numbered(n)
			s := asks.open(items[0])
			s.send(items[1:]...)
			s.complete()
			wantAll(t, s, items)
		}
	})
}

// Two channels beside each other, and a request while they are open.
func TestChannels(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		items := numbered(many)
		one, two := asks.open(items[0]), asks.open(items[0])
		for _, item := range items[1:] {
			one.send(item)
			two.send(item)
		}
		one.complete()
		two.complete()
		done := make(chan struct{})
		go func() {
			defer close(done)
			wantAll(t, one, items)
		}()
		wantAll(t, two, items)
		take(t, "the other channel", done)
		if _, err := asks.call(message{"", "still there?"}); err != nil {
			t.Error(err)
		}
	})
}

// stays fails the test if value leaves what it has come to. That takes a moment
// to show: too short a one can miss a fault, and never reports one that is none.
func stays(t *testing.T, what string, want int, value func() int) {
	t.Helper()
	eventually(t, fmt.Sprint(what, " comes to ", want), func() bool { return value() >= want })
	time.Sleep(20 * time.Millisecond)
	if got := value(); got != want {
		t.Errorf("%s came to %d, want %d", what, got, want)
	}
}

// A responder that takes nothing stops the requester.
func TestResponderHoldsBack(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		items := append([]string{wordGate}, numbered(many)...)
		s := asks.open(items[0])
		s.send(items[1:]...)
		s.complete()
		stays(t, "what the requester sends", 1+window, s.sent)
		close(answers.seen().gate)
		wantAll(t, s, items)
		if s.sent() != len(items) {
			t.Errorf("%d items sent, want %d", s.sent(), len(items))
		}
	})
}

// A requester that takes nothing stops the responder.
func TestRequesterHoldsBack(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		items := numbered(many)
		s := asks.open(items[0])
		s.send(items[1:]...)
		s.complete()
		replied := &answers.seen().replied
		stays(t, "what the responder sends", window, func() int { return int(replied.Load()) })
		wantAll(t, s, items)
		if replied.Load() != many {
			t.Errorf("%d items sent, want %d", replied.Load(), many)
		}
	})
}
