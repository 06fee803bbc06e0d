package rsocket

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// turn is the right to read from the carrier and to dispatch. One goroutine has
// it at a time: the read loop as a rule.
//
// When a connection carries one request at a time, the read loop that has woken
// the only one who waits leaves, with the turn free. That one takes it when it
// waits again, and reads what it waits for itself; and the read loop runs a lone
// request's handler itself. That saves a switch of goroutines, and a wake-up of
// an idle processor, on either side of each exchange: a third of its time. When
// nobody has taken the turn for a moment the read loop is started again. It does
// not leave for a while then, nor after a wait that was too long to gain by it.
type turn struct {
	held    atomic.Bool
	taken   atomic.Uint32 // how often
	waiting atomic.Int64  // goroutines that wait for what only reading can bring
	woken   atomic.Uint32 // how many were given it
	strict  atomic.Int64  // Unix nanoseconds until which the read loop does not leave
	looking atomic.Bool   // the lookout looks after it
	led     atomic.Bool   // another than the read loop waits for the carrier

	// guarded by mu
	mu       sync.Mutex
	last     uint32          // taken when the lookout looked last
	faults   uint            // how often it was too long in the same hands or in none, less how often not
	leader   context.Context // of who reads instead of the read loop
	signal   <-chan struct{} // what that one waits for
	stop     func() bool     // ends the watch over leader
	deadline bool            // the carrier's read deadline was set in order to interrupt it
}

const (
	moment    = time.Millisecond     // for which the turn may stay free
	penance   = 2 * time.Millisecond // for which it may not after that was too long, doubled
	maxFaults = 9                    // so many times
)

// leave counts one that does not wait any more.
func (t *turn) leave() {
	t.waiting.Add(-1)
	t.woken.Add(1)
}

// wake signals one that waits, also if that one is reading meanwhile.
func (c *Conn) wake(signal chan struct{}) {
	t := &c.turn
	t.leave()
	signal <- struct{}{} // it has room for one
	if t.led.Load() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.signal == signal {
			c.interrupt()
		}
	}
}

// tryTurn takes the turn if it is free.
func (c *Conn) tryTurn() bool {
	if c.turn.held.Load() || !c.turn.held.CompareAndSwap(false, true) {
		return false
	}
	c.turn.taken.Add(1)
	return true
}

// freeTurn gives the turn back, to a read loop if anybody needs one now.
func (c *Conn) freeTurn() {
	c.turn.held.Store(false)
	if c.turn.waiting.Load() > 0 || c.over.Load() {
		c.startReading()
		return
	}
	c.look()
}

// startReading starts the read loop if nobody reads.
func (c *Conn) startReading() {
	if c.tryTurn() {
		c.goRead()
	}
}

func (c *Conn) goRead() {
	c.wg.Add(1)
	go c.readLoop()
}

// mayLeave reports whether the read loop may leave the turn free: nothing else
// than one request is under way, and it was not free for long of late.
func (c *Conn) mayLeave() bool {
	if !canLookOut || c.session != nil || c.r.fd == nil || c.inbound.Load()+c.outbound.Load() > 1 || c.Draining() {
		return false
	}
	until := c.turn.strict.Load()
	return until == 0 || time.Now().UnixNano() > until
}

// look makes sure that someone looks, in a moment, whether anybody reads.
func (c *Conn) look() {
	if !c.turn.looking.Load() && c.turn.looking.CompareAndSwap(false, true) {
		lookAfter(c)
	}
}

// looked is what the lookout does every moment; it returns whether to look again.
func (c *Conn) looked() bool {
	t := &c.turn
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.taken.Load()
	if taken != t.last && !c.over.Load() {
		t.last = taken
		t.faults -= min(t.faults, 1)
		return true // it changes hands quickly
	}
	slow := t.leader != nil && t.stop == nil
	if slow {
		// It reads for longer than it may overlook that it was called off.
		t.stop = context.AfterFunc(t.leader, func() { c.calledOff(taken) })
	}
	free := !t.held.Load()
	if free || slow {
		t.strict.Store(time.Now().Add(penance << t.faults).UnixNano())
		t.faults = min(t.faults+1, maxFaults)
	}
	if free {
		c.startReading()
	}
	return false
}

// interrupt makes who reads instead of the read loop stop it. The caller holds
// the turn's lock.
func (c *Conn) interrupt() {
	c.turn.deadline = true
	_ = c.carrier().SetReadDeadline(time.Unix(1, 0)) // an error means that reading ends at once
}

// calledOff interrupts who has read since then, because its context has ended.
func (c *Conn) calledOff(taken uint32) {
	t := &c.turn
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.signal != nil && t.taken.Load() == taken {
		c.interrupt()
	}
}

// await waits for a signal that reading brings, and reads itself if nobody does.
// Who sends it uses wake; who has waited in vain takes itself off turn.waiting.
func (c *Conn) await(ctx context.Context, signal <-chan struct{}) error {
	if c.tryTurn() {
		c.lead(ctx, signal)
	}
	select {
	case <-signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lead reads until the signal has come, or ctx has ended, or there is nothing
// more to read.
func (c *Conn) lead(ctx context.Context, signal <-chan struct{}) {
	t := &c.turn
	t.mu.Lock()
	t.leader, t.signal = ctx, signal
	t.mu.Unlock()
	if ctx.Done() != nil {
		c.look()
	}
	var err error
	for err == nil && ctx.Err() == nil && !c.over.Load() {
		t.led.Store(true)
		if len(signal) > 0 { // only now: who sends it from now on sees that someone reads, see wake
			break
		}
		err = c.readBatch()
		c.handOver()
	}
	t.led.Store(false)
	t.mu.Lock()
	t.leader, t.signal = nil, nil
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
	interrupted := t.deadline
	if interrupted {
		t.deadline = false
		c.clearReadDeadline()
	}
	t.mu.Unlock()
	if err != nil && !(interrupted && errors.Is(err, os.ErrDeadlineExceeded)) {
		// With the turn: the read loop decides what that means.
		c.failure = err
		c.goRead()
		return
	}
	c.freeTurn()
}

// handOver gives a request that waits for the end of its batch to a worker.
func (c *Conn) handOver() {
	if c.lone != nil {
		c.work.add(c.lone)
		c.lone = nil
	}
}

// runLone runs the handler of a request that came alone, with the turn free. It
// reports whether the turn could be taken again.
func (c *Conn) runLone() bool {
	s := c.lone
	c.lone = nil
	c.freeTurn()
	s.run()
	return c.tryTurn()
}
