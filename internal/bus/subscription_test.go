package bus_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
)

func TestSubscribeRefuses(t *testing.T) {
	b := open(t, "")
	f, gap := func(string, []byte) {}, func() {}
	for _, subject := range []string{"", ".", "a.", "a.>.b", "a b", strings.Repeat("x", 257)} {
		if _, err := b.Subscribe(subject, f, gap); err == nil {
			t.Errorf("subject %q is taken", subject)
		}
	}
	if _, err := b.Subscribe("a", nil, gap); err == nil {
		t.Error("no function for messages is taken")
	}
	if _, err := b.Subscribe("a", f, nil); err == nil {
		t.Error("no function for gaps is taken")
	}
}

// A subscriber that is too slow is told that messages were dropped, and hears what
// comes from then on.
func TestTooSlow(t *testing.T) {
	b := open(t, "")
	for name, test := range map[string]struct{ size, messages, atMost int }{
		"too many": {1, 5000, 4096},
		"too much": {bus.MaxMessage, 200, 128}, // 8 MiB
	} {
		t.Run(name, func(t *testing.T) {
			var busy, gaps, heard atomic.Int32
			alone := func() (leave func()) {
				if busy.Add(1) != 1 {
					t.Error("two functions run at once")
				}
				return func() { busy.Add(-1) }
			}
			entered, release := make(chan struct{}, 1), make(chan struct{})
			s, err := b.Subscribe("a", func(string, []byte) {
				defer alone()()
				if heard.Add(1) == 1 {
					entered <- struct{}{}
					<-release
				}
			}, func() {
				defer alone()()
				gaps.Add(1)
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			await.Until(t, "the subscription is in force", func() bool { return gaps.Load() == 1 })
			before := b.Status().Dropped
			data := strings.Repeat("x", test.size)
			publish(t, b, "a", data)
			await.Value(t, "the first message", entered)
			for range test.messages - 1 {
				publish(t, b, "a", data)
			}
			if gaps.Load() != 1 {
				t.Error("a gap is told while a message is being taken")
			}
			close(release)
			await.Until(t, "the gap is told", func() bool { return gaps.Load() > 1 })
			dropped := int(b.Status().Dropped - before)
			if kept := test.messages - dropped; kept < test.atMost-1 || kept > test.atMost {
				t.Errorf("%d messages were kept, expected %d", kept, test.atMost)
			}
			await.Until(t, "what was kept is heard", func() bool { return int(heard.Load()) == test.messages-dropped })
			publish(t, b, "a", "last")
			await.Until(t, "what comes after is heard", func() bool { return int(heard.Load()) == test.messages-dropped+1 })
		})
	}
}

func TestCloseOfASubscription(t *testing.T) {
	b := open(t, "")
	gone, stays := hear(t, b, "a"), hear(t, b, "a")
	publish(t, b, "a", "1")
	gone.want("a 1")
	gone.Close()
	gone.Close()
	publish(t, b, "a", "2")
	stays.want("a 1", "a 2")
	gone.wantNothing()
	again := hear(t, b, "a")
	publish(t, b, "a", "3")
	again.want("a 3")
	gone.wantNothing()
	if n := b.Status().Subscriptions; n != 2 {
		t.Errorf("%d subscriptions", n)
	}
}

// Close waits for the function that runs, and no other runs after it.
func TestCloseWaitsForTheSubscriber(t *testing.T) {
	b := open(t, "")
	entered, release := make(chan struct{}), make(chan struct{})
	var heard atomic.Int32
	inForce := make(chan struct{}, 1)
	s, err := b.Subscribe("a", func(string, []byte) {
		entered <- struct{}{}
		<-release
		heard.Add(1)
	}, func() { inForce <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	await.Value(t, "the subscription", inForce)
	for range 3 {
		publish(t, b, "a", "")
	}
	await.Value(t, "the first message", entered)
	closed := make(chan struct{})
	go func() {
		s.Close()
		if heard.Load() != 1 {
			t.Error("Close did not wait, or more was heard")
		}
		close(closed)
	}()
	await.Until(t, "it is being closed", func() bool { return b.Status().Subscriptions == 0 })
	close(release)
	await.Value(t, "Close", closed)
	if d := b.Status().Delivered; d != 1 {
		t.Errorf("%d were delivered", d)
	}
}

func TestNothingIsHeardAfterClose(t *testing.T) {
	b := open(t, "")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := b.Publish(t.Context(), "a", nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 200 {
		var closed atomic.Bool
		heard := make(chan struct{}, 1)
		wantOpen := func() {
			if closed.Load() {
				t.Error("a function was called after Close")
			}
		}
		s, err := b.Subscribe("a", func(string, []byte) {
			wantOpen()
			select {
			case heard <- struct{}{}:
			default:
			}
		}, wantOpen)
		if err != nil {
			t.Fatal(err)
		}
		await.Value(t, "a message", heard)
		s.Close()
		closed.Store(true)
	}
}

// Who reacts to a message by publishing must not wait for itself.
func TestASubscriberMayPublish(t *testing.T) {
	b := open(t, "")
	echo := hear(t, b, "echo")
	errs := make(chan error, 100)
	inForce := make(chan struct{}, 1)
	_, err := b.Subscribe("a", func(_ string, data []byte) { errs <- b.Publish(t.Context(), "echo", data) }, func() { inForce <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	await.Value(t, "the subscription", inForce)
	for i := range 10 {
		publish(t, b, "a", fmt.Sprint(i))
	}
	for i := range 10 {
		echo.want(fmt.Sprintf("echo %d", i))
		if err := await.Value(t, "an echo", errs); err != nil {
			t.Error(err)
		}
	}
}
