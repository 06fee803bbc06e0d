package bus_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/cut"
)

// A connection that carries nothing any more and that nobody closes.
func TestAPartitionIsNoticed(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	proxy := cut.New(t, "")
	guest := open(t, proxy.Before(t, host.Status().URL))
	e := hear(t, guest, "a")
	publish(t, host, "a", "1")
	e.want("a 1")
	proxy.Freeze()
	publish(t, host, "a", "lost")
	awaitConnected(t, guest, false)
	e.wantGap() // the proxy takes new connections
	publish(t, host, "a", "2")
	e.want("a 2")
	e.wantNothing()
}

func TestCutConnectionsAreMadeAgain(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	proxy := cut.New(t, "")
	guest := open(t, proxy.Before(t, host.Status().URL))
	e := hear(t, guest, "a")
	for i := range 5 {
		proxy.Cut()
		e.wantGap()
		data := string(rune('0' + i))
		publish(t, host, "a", data)
		e.want("a " + data)
	}
	e.wantNothing()
	if s := guest.Status(); s.Gaps != 6 || s.Connections != 6 {
		t.Errorf("%+v", s)
	}
}

// Whatever Publish says was taken has been heard, or a gap is told after it.
func TestNothingIsLostUntold(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	proxy := cut.New(t, "")
	url := proxy.Before(t, host.Status().URL)
	from, to := open(t, url), open(t, url)

	var mu sync.Mutex
	missing := map[string]bool{} // published and not heard, as far as to knows
	_, err := to.Subscribe("a", func(_ string, data []byte) {
		mu.Lock()
		defer mu.Unlock()
		delete(missing, string(data))
	}, func() {
		mu.Lock()
		defer mu.Unlock()
		clear(missing)
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitConnected(t, from, true)
	for i := range 600 {
		if i%150 == 75 {
			proxy.Cut()
		}
		data := fmt.Sprint(i)
		mu.Lock()
		missing[data] = true
		mu.Unlock()
		switch err := from.Publish(await.Context(t), "a", []byte(data)); {
		case errors.Is(err, bus.ErrNotConnected):
			awaitConnected(t, from, true)
			fallthrough
		case err != nil:
			mu.Lock()
			delete(missing, data) // who published it knows
			mu.Unlock()
		}
	}
	await.Until(t, "all is heard, or known to be missed", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(missing) == 0
	})
}
