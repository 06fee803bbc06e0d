package rsocket

import (
	"net"
	"sync"
	"time"
)

// writer gathers frames and writes what has gathered in one call.
//
// There is no standing goroutine: the first frame that finds the writer idle
// starts a flush, which writes until nothing is left. Frames that come while it
// writes, or before it gets to run, go out together.
type writer struct {
	// immutable
	nc      net.Conn
	limit   int
	timeout time.Duration
	spawn   func(func())    // runs a function on a goroutine that the connection joins
	failed  func(err error) // told once when the socket refuses

	// guarded by mu
	mu       sync.Mutex
	buf      []byte // length-prefixed frames that wait
	start    int    // where the frame being appended began
	spare    []byte // the other buffer, while it is not being written
	flushing bool
	stopped  bool
	room     chan struct{} // closed when buf has been taken; nil while nobody waits
	idle     chan struct{} // closed when the flush ends; nil while nobody waits
}

const keepWriteBuffer = 64 << 10 // larger buffers go back to the collector

// try begins a frame of at most size bytes. It returns a buffer to append to,
// with the lock held until end; or, if there is no room, a channel that is
// closed when it is worth trying again; or neither once the writer has stopped.
func (w *writer) try(size int) (dst []byte, wait <-chan struct{}) {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return nil, nil
	}
	if len(w.buf) > 0 && len(w.buf)+size > w.limit {
		if w.room == nil {
			w.room = make(chan struct{})
		}
		wait = w.room
		w.mu.Unlock()
		return nil, wait
	}
	return w.prefix(), nil
}

// force begins a frame whether there is room or not: for the few small frames
// that the protocol itself owes. It returns nil once the writer has stopped.
func (w *writer) force() []byte {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return nil
	}
	return w.prefix()
}

func (w *writer) prefix() []byte {
	w.start = len(w.buf)
	return append(w.buf, 0, 0, 0)
}

// end takes the buffer back with the frame appended, and releases the lock.
func (w *writer) end(b []byte) {
	n := len(b) - w.start - 3
	b[w.start], b[w.start+1], b[w.start+2] = byte(n>>16), byte(n>>8), byte(n)
	w.buf = b
	if !w.flushing {
		w.flushing = true
		w.spawn(w.flush)
	}
	w.mu.Unlock()
}

// queued is the number of bytes that wait.
func (w *writer) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.buf)
}

func (w *writer) flush() {
	for {
		w.mu.Lock()
		if len(w.buf) == 0 {
			w.flushing = false
			wake(&w.idle)
			w.mu.Unlock()
			return
		}
		out := w.buf
		w.buf, w.spare = w.spare[:0], nil
		wake(&w.room)
		// Under the lock, so that it can't move out the deadline that stop sets. A
		// dead socket says so on write.
		if w.timeout > 0 && !w.stopped {
			_ = w.nc.SetWriteDeadline(time.Now().Add(w.timeout))
		}
		w.mu.Unlock()

		_, err := w.nc.Write(out)

		w.mu.Lock()
		if cap(out) <= keepWriteBuffer {
			w.spare = out[:0]
		}
		if err != nil {
			w.stopped = true
			w.flushing = false
			w.buf = nil
			wake(&w.room)
			wake(&w.idle)
			w.mu.Unlock()
			w.failed(err)
			return
		}
		w.mu.Unlock()
	}
}

// stop takes no more frames and returns when those that wait are written, or
// could not be within the time given.
func (w *writer) stop(within time.Duration) {
	w.mu.Lock()
	w.stopped = true
	wake(&w.room)
	if !w.flushing {
		w.mu.Unlock()
		return
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	idle := w.idle
	_ = w.nc.SetWriteDeadline(time.Now().Add(within))
	w.mu.Unlock()
	<-idle
}

// wake releases all who wait on *c.
func wake(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}
