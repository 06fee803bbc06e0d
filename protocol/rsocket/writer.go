package rsocket

import (
	"net"
	"runtime"
	"sync"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// writer gathers frames and writes what has gathered in one call.
//
// There is no standing goroutine. A frame that has no company to expect is
// written at once, by whoever sends it, as far as the socket takes it without a
// wait. Any other starts a flush on a goroutine of its own, which first lets
// others run: what they send meanwhile, and while it writes, goes out together.
// A carrier that is no socket is always written by a flush.
type writer struct {
	// immutable
	limit   int
	timeout time.Duration
	wg      *sync.WaitGroup // joins the flush
	failed  func(err error) // told once for each connection that refuses
	flush   func()          // w.flushAll, made once
	finish  func()          // w.finishAll, made once

	// guarded by mu
	mu        sync.Mutex
	nc        net.Conn
	fd        *descriptor // nil: no socket
	kept      *retained   // nil unless the connection can be resumed
	buf       []byte      // length-prefixed frames that wait; nil while none do
	start     int         // where the frame being appended began
	forced    bool        // whether that one goes without room
	owed      int         // bytes in buf that went so
	aside     []*aside    // data that stands elsewhere and goes out with buf
	besides   int         // its bytes
	writing   bool        // someone writes
	coming    bool        // a flush was started and has not looked yet
	detached  bool        // the connection is lost and may come back: nothing is written
	stopped   bool
	lastWrite time.Time
	room      chan struct{} // closed when buf has been taken; nil while nobody waits
	idle      chan struct{} // closed when the flush ends; nil while nobody waits

	// owned by whoever flushes
	out      []byte   // being written
	outAside []*aside // and with it
	done     int      // out[:done] is written
}

// together is how soon an item has to follow the last write to be taken for one
// of many that are worth gathering.
const together = 3 * time.Microsecond

// company says what a frame has to expect.
type company int

const (
	others company = iota // frames that are worth waiting for
	maybe                 // others, if it follows close upon the last write
	nobody                // none: it is written at once
)

// try begins a frame for p. It returns a buffer to append all but p's data to,
// with the lock held until endWith or giveUp; or, if there is no room, a channel
// that is closed when it is worth trying again; or neither once the writer has
// stopped.
func (w *writer) try(p Payload) (dst []byte, wait <-chan struct{}) {
	size := frame.PayloadSize(p.Metadata, p.Data)
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return nil, nil
	}
	held := len(w.buf) + w.besides
	limit := w.limit
	if w.detached {
		held, limit = w.kept.size(), w.kept.limit
	}
	if held > 0 && held+size > limit {
		if w.room == nil {
			w.room = make(chan struct{})
		}
		wait = w.room
		w.mu.Unlock()
		return nil, wait
	}
	w.forced = false
	if w.puts(p.Data) {
		size -= len(p.Data)
	}
	return w.prefix(size), nil
}

// force begins a frame whether there is room or not: for the few small frames
// that the protocol itself owes. It returns nil once the writer has stopped.
func (w *writer) force(size int) []byte {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return nil
	}
	w.forced = true
	return w.prefix(size)
}

func (w *writer) prefix(size int) []byte {
	size += prefixSize
	if need := len(w.buf) + size; need > cap(w.buf) {
		b := getBuffer(max(need, 2*cap(w.buf)))
		b = b[:copy(b, w.buf)]
		putBuffer(w.buf)
		w.buf = b
	}
	w.start = len(w.buf)
	return append(w.buf, 0, 0, 0)
}

// giveUp releases the lock without a frame.
func (w *writer) giveUp() { w.mu.Unlock() }

// end takes the buffer back with a frame that has no data appended, and releases
// the lock. The frame is written soon, with what others send meanwhile.
func (w *writer) end(b []byte) { w.endWith(b, nil, others) }

// endWith is end for a frame that ends in data, and that may have no company.
// The caller waits for what it returns, if anything, when it holds no lock.
func (w *writer) endWith(b, data []byte, with company) *aside {
	n := len(b) - w.start - prefixSize + len(data)
	var put *aside
	if w.puts(data) {
		put = &aside{at: len(b), data: data, done: make(chan struct{})}
		w.aside = append(w.aside, put)
		w.besides += len(data)
	} else {
		b = append(b, data...)
	}
	b[w.start], b[w.start+1], b[w.start+2] = byte(n>>16), byte(n>>8), byte(n)
	w.buf = b
	if w.forced {
		w.owed += n
	}
	if w.kept != nil {
		w.kept.add(b[w.start:])
		if w.detached {
			w.buf = w.buf[:0] // what has to be sent again is kept, and the rest is outdated by then
		} else {
			w.kept.shrink()
		}
	}
	switch {
	case w.writing || w.coming || w.detached:
		w.mu.Unlock()
	case w.fd != nil && put == nil && (with == nobody || with == maybe && time.Since(w.lastWrite) > together):
		w.take()
		w.mu.Unlock()
		w.writeNow()
	default:
		w.coming = true
		w.mu.Unlock()
		w.goFlush()
	}
	return put
}

func (w *writer) goFlush() {
	w.wg.Add(1)
	go w.flush()
}

// take makes what waits the caller's to write. The caller holds mu.
func (w *writer) take() {
	w.writing = true
	w.out, w.done = w.buf, 0
	w.outAside = w.aside
	w.empty()
	w.owed = 0
	wake(&w.room)
}

// empty forgets what waits, without giving it back.
func (w *writer) empty() { w.buf, w.aside, w.besides = nil, nil, 0 }

// dropWaiting gives back what waits and won't be written.
func (w *writer) dropWaiting() {
	putBuffer(w.buf)
	release(w.aside)
	w.empty()
}

// writeNow writes what the socket takes. What it does not take, and what came
// meanwhile, is left to goroutines.
func (w *writer) writeNow() {
	n, err := w.fd.writeSome(w.out)
	if w.done = n; err == nil && n < len(w.out) {
		w.wg.Add(1)
		go w.finish()
	} else if w.written(err) {
		w.goFlush()
	}
}

// written ends one write. It reports whether more has come, which the caller has
// to flush.
func (w *writer) written(err error) (more bool) {
	w.mu.Lock()
	putBuffer(w.out)
	release(w.outAside)
	w.out, w.outAside = nil, nil
	w.writing = false
	w.lastWrite = time.Now()
	if err != nil {
		w.dropWaiting()
		if w.kept != nil {
			w.detached = true
		} else {
			w.stopped = true
		}
		wake(&w.room)
	}
	if len(w.buf) > 0 && !w.coming {
		w.coming, more = true, true
	}
	if !w.coming {
		wake(&w.idle)
	}
	w.mu.Unlock()
	if err != nil {
		w.failed(err)
	}
	return more
}

// flushAll gathers and writes until nothing is left. It is what coming announces.
func (w *writer) flushAll() {
	defer w.wg.Done()
	for more := true; more; {
		runtime.Gosched() // those who are about to send can join
		w.mu.Lock()
		w.coming = false
		if w.writing || w.detached || len(w.buf) == 0 {
			if !w.writing {
				wake(&w.idle)
			} // else who writes sees to what is left
			w.mu.Unlock()
			return
		}
		w.take()
		w.mu.Unlock()
		more = w.written(w.writeAll())
	}
}

// finishAll writes what the socket did not take at once.
func (w *writer) finishAll() {
	defer w.wg.Done()
	if w.written(w.writeAll()) {
		w.goFlush()
	}
}

// writeAll writes what was taken and waits for the socket if it has to.
func (w *writer) writeAll() error {
	for _, a := range w.outAside {
		if err := w.writeTo(a.at); err != nil {
			return err
		}
		for a.left() {
			if err := w.patiently(func(net.Conn) error { return w.fd.writeAside(a) }); err != nil {
				return err
			}
		}
	}
	return w.writeTo(len(w.out))
}

// writeTo writes out[done:end].
func (w *writer) writeTo(end int) error {
	if w.fd != nil && w.done < end {
		n, err := w.fd.writeSome(w.out[w.done:end])
		if w.done += n; err != nil {
			return err
		}
	}
	if w.done == end {
		return nil
	}
	return w.patiently(func(nc net.Conn) error {
		n, err := nc.Write(w.out[w.done:end])
		w.done += n
		return err
	})
}

// patiently calls write, which may wait for the socket.
func (w *writer) patiently(write func(nc net.Conn) error) error {
	w.mu.Lock()
	nc := w.nc
	// Under the lock, so that it can't move out the deadline that stop sets. A
	// dead socket says so on write.
	if w.timeout > 0 && !w.stopped {
		_ = nc.SetWriteDeadline(time.Now().Add(w.timeout))
	}
	w.mu.Unlock()
	err := write(nc)
	w.mu.Lock()
	if w.timeout > 0 && !w.stopped {
		_ = nc.SetWriteDeadline(time.Time{}) // a descriptor would see it pass while nobody writes
	}
	w.mu.Unlock()
	return err
}

// debt is the number of bytes that wait though there was no room for them: what
// the peer made this side owe it and does not read.
func (w *writer) debt() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.owed
}

// stop takes no more frames and returns when those that wait are written, or
// could not be within the time given.
func (w *writer) stop(within time.Duration) {
	w.mu.Lock()
	w.stopped = true
	wake(&w.room)
	if w.writing || w.coming {
		_ = w.nc.SetWriteDeadline(time.Now().Add(within))
		w.waitIdle()
	}
	w.dropWaiting()
	w.kept = nil
	w.mu.Unlock()
}

// wake releases all who wait on *c.
func wake(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// detach stops writing because the carrier is lost; frames that count are kept.
func (w *writer) detach() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.detached = true
	w.waitIdle()
	w.dropWaiting()
	wake(&w.room)
}

// waitIdle returns when nobody writes. The caller holds mu, which is released meanwhile.
func (w *writer) waitIdle() {
	for w.writing || w.coming {
		if w.idle == nil {
			w.idle = make(chan struct{})
		}
		idle := w.idle
		w.mu.Unlock()
		<-idle
		w.mu.Lock()
	}
}

// attach goes on with another carrier: hello first, then what the peer lacks,
// whose frames begin at position.
func (w *writer) attach(nc net.Conn, fd *descriptor, position uint64, hello []byte) error {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return ErrClosed
	}
	if err := w.kept.received(position); err != nil {
		w.mu.Unlock()
		return err
	}
	again := w.kept.all()
	w.buf = append(append(getBuffer(len(hello) + len(again))[:0], hello...), again...)
	w.kept.shrink()
	w.nc, w.fd, w.detached, w.coming, w.owed = nc, fd, false, true, 0
	wake(&w.room)
	w.mu.Unlock()
	w.goFlush()
	return nil
}

// firstKept is the position of the first frame that can be sent again.
func (w *writer) firstKept() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept == nil {
		return 0 // the connection has ended
	}
	return w.kept.first
}
