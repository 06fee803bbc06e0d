package invalidation_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/internal/invalidation"
)

// far is a proxy in front of a bus, which all bytes take so long to pass each way.
func far(t *testing.T, url string, delay time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	type chunk struct {
		due  time.Time
		data []byte
	}
	carry := func(to, from net.Conn) {
		way := make(chan chunk, 1024)
		wg.Go(func() {
			defer to.Close()
			for c := range way {
				time.Sleep(time.Until(c.due))
				_, _ = to.Write(c.data) // who has gone misses it
			}
		})
		defer close(way)
		for {
			b := make([]byte, 4096)
			n, err := from.Read(b)
			if n > 0 {
				way <- chunk{time.Now().Add(delay), b[:n]}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					_ = from.Close()
				}
				return
			}
		}
	}
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			host, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			wg.Go(func() { carry(host, near) })
			wg.Go(func() { carry(near, host) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return "nats://" + l.Addr().String()
}

// A bus that is there and slow: nobody waits long, and everybody hears of all.
func TestASlowBusIsToldToo(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	a, atA := link(t, open(t, far(t, host.Status().URL, 200*time.Millisecond)))
	b, atB := link(t, host)
	for _, l := range []*invalidation.Link{a, b} {
		if err := l.Ready(await.Context(t)); err != nil {
			t.Fatal(err)
		}
	}
	const many = 50
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			if _, err := a.Tell(t.Context(), warm.Invalidation{Source: "films", Key: fmt.Sprint(i)}); !errors.Is(err, invalidation.ErrNotTold) {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	for i := range many {
		what := fmt.Sprintf("%q of films", fmt.Sprint(i))
		await.Until(t, what+" to be heard", func() bool { return atB.count(what) > 0 })
		if n := atA.count(what); n != 1 {
			t.Errorf("who tells %s drops it %d times", what, n)
		}
	}
	await.Until(t, "all to be told", func() bool { return len(a.Untold()) == 0 })
	if atA.count("everything") != 1 || atB.count("everything") != 1 {
		t.Error("the connection was lost: that is another test")
	}
}
