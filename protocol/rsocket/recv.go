package rsocket

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"warmline.dev/protocol/rsocket/frame"
)

func (ch *channel) Recv(ctx context.Context) (Payload, error) {
	for {
		if p, err, ok := ch.tryRecv(); ok {
			return p, err
		}
		if err := ch.canRecv.wait(ctx, ch.c, &ch.mu, func() bool { return ch.recvDone || ch.items.len() > 0 }); err != nil {
			// What ends a channel ends its handler's context too, and tells more.
			if p, end, ok := ch.tryRecv(); ok {
				return p, end
			}
			return Payload{}, err
		}
	}
}

func (ch *channel) tryRecv() (p Payload, err error, ok bool) { //nolint:revive // ok is not about err
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.items.len() > 0 {
		p = ch.items.pop()
		ch.c.unhold(p.size())
		ch.grantAgain()
		if ch.items.len() > 0 {
			ch.canRecv.signal(ch.c) // for whoever else waits
		}
		return p, nil, true
	}
	if ch.recvDone {
		if ch.recvErr != nil {
			return Payload{}, ch.recvErr, true
		}
		return Payload{}, io.EOF, true
	}
	return Payload{}, nil, false
}

// grantAgain gives credit back in halves of the window, so that it costs one
// frame for many items and the peer still never runs dry.
func (ch *channel) grantAgain() {
	if ch.recvDone {
		return
	}
	ch.taken++
	if ch.taken < (ch.c.cfg.Window+1)/2 {
		return
	}
	ch.c.sendRequestN(ch.id, ch.taken)
	ch.quota += ch.taken
	ch.taken = 0
}

// payload is told by the read loop.
func (ch *channel) payload(p Payload, next, complete bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.recvDone {
		return
	}
	if next {
		switch {
		case ch.quota == 0:
			ch.breakOff(&Error{Code: frame.CodeInvalid, Message: "more items than credit was granted for"})
			return
		case !ch.c.hold(p.size()):
			ch.breakOff(&Error{Code: frame.CodeCanceled, Message: fmt.Sprintf("the items of this connection that wait to be read exceed %d bytes", ch.c.cfg.MaxUnread)})
			return
		}
		ch.quota--
		ch.items.push(p)
		ch.canRecv.signal(ch.c)
	}
	if complete {
		ch.endRecv(nil)
	}
}

// queue holds items that have arrived. An idle one holds no buffer.
type queue struct {
	items []Payload
	head  int // items[:head] were taken
	bytes int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(p Payload) {
	q.items = append(q.items, p)
	q.bytes += p.size()
}

// pop returns the oldest; there must be one.
func (q *queue) pop() Payload {
	p := q.items[q.head]
	q.items[q.head] = Payload{}
	q.bytes -= p.size()
	if q.head++; q.head == len(q.items) {
		const keep = 4
		if q.head = 0; cap(q.items) <= keep {
			q.items = q.items[:0]
		} else {
			q.items = nil
		}
	}
	return p
}

// waiters are goroutines that wait for a condition that a lock guards and that
// reading can bring about. Its zero value is ready to use.
type waiters struct{ signals []chan struct{} }

// signal wakes one of them, if there is any. The caller holds the lock.
func (w *waiters) signal(c *Conn) {
	if n := len(w.signals); n > 0 {
		s := w.signals[0]
		copy(w.signals, w.signals[1:])
		w.signals = w.signals[:n-1]
		c.wake(s)
	}
}

// signalAll wakes all of them: what they wait for will not come. The caller
// holds the lock.
func (w *waiters) signalAll(c *Conn) {
	for len(w.signals) > 0 {
		w.signal(c)
	}
}

// wait returns when ready says so, or ctx has ended. Ready is called with the lock.
func (w *waiters) wait(ctx context.Context, c *Conn, mu *sync.Mutex, ready func() bool) error {
	mu.Lock()
	if ready() {
		mu.Unlock()
		return nil
	}
	s, _ := c.signals.Get().(chan struct{})
	if s == nil {
		s = make(chan struct{}, 1)
	}
	w.signals = append(w.signals, s)
	c.turn.waiting.Add(1)
	mu.Unlock()
	err := c.await(ctx, s)
	if err != nil {
		mu.Lock()
		if i := slices.Index(w.signals, s); i >= 0 {
			w.signals = slices.Delete(w.signals, i, i+1)
			c.turn.leave()
		} else {
			<-s
			w.signal(c) // it was meant for one who goes on
		}
		mu.Unlock()
	}
	c.signals.Put(s)
	return err
}
