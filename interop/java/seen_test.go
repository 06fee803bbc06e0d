package java

import (
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// witness is what our end saw.
type witness struct {
	sent atomic.Int64  // items that left on streams and channels
	gate chan struct{} // handlers that wait for the word go on when it is closed

	mu     sync.Mutex
	events []event
}

func newWitness() *witness { return &witness{gate: make(chan struct{})} }

func (w *witness) add(e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *witness) saw(what string) { w.add(event{What: what}) }

func (w *witness) got(what string, p rsocket.Payload) {
	w.add(event{What: what, Message: messageOf(p)})
}

func (w *witness) of(what string) []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []event
	for _, e := range w.events {
		if e.What == what {
			found = append(found, e)
		}
	}
	return found
}

func (e *ourEnd) seen(t *testing.T, what string, count int) []event {
	t.Helper()
	if what == "closed" {
		await.Value(t, "our end is over", e.conn.Done())
		a := answerOf(e.conn.Err())
		return []event{{What: what, Code: a.Code, Text: a.Text}}
	}
	await.Until(t, "our end has seen that: "+what, func() bool { return len(e.of(what)) >= count })
	return e.of(what)
}

func (e *ourEnd) openGate(*testing.T) { close(e.gate) }

func (e *ourEnd) sent(*testing.T) int { return int(e.witness.sent.Load()) }

func (e *ourEnd) close(t *testing.T) {
	t.Helper()
	within(t, "our end closes", e.conn.Close)
}
