package link

import (
	"io"
	"sync"
	"time"
)

// direction is one of the two in which a connection carries bytes.
type direction struct {
	conn     *connection
	from, to *socket
	began    time.Time // what was sent earlier would not have been sent yet

	mu      sync.Mutex
	room    sync.Cond
	held    int       // guarded by mu: bytes of buffers on their way
	late    []*buffer // guarded by mu: due, but the receiver takes no more; nil is the end
	writing bool      // guarded by mu: a goroutine writes late
	broken  bool      // guarded by mu: the receiver is gone, or the link
}

func newDirection(c *connection, from, to *socket) *direction {
	d := &direction{conn: c, from: from, to: to, began: time.Now()}
	d.room.L = &d.mu
	return d
}

// carry reads until the sender has no more.
func (d *direction) carry() {
	q := d.conn.link.queue
	for d.awaitRoom() {
		b, waited, err := d.from.read()
		if err == io.EOF {
			q.later(func() { d.deliver(nil) })
			return
		}
		if err != nil {
			q.later(d.conn.reset)
			return
		}
		d.mu.Lock()
		d.held += len(b.space)
		d.mu.Unlock()
		q.add(part{d: d, b: b}, min(waited, time.Since(d.began)))
	}
}

// awaitRoom waits until the receiver has taken enough of what is held. It returns
// false when nothing will be taken any more.
func (d *direction) awaitRoom() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.held >= d.conn.link.cfg.Hold && !d.broken {
		d.room.Wait()
	}
	return !d.broken
}

// deliver writes what is due, or has it written when the receiver takes it: it does
// not block. nil is the end.
func (d *direction) deliver(b *buffer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.broken:
	case d.writing:
		d.late = append(d.late, b)
	case b == nil:
		d.end()
	default:
		n, err := d.to.tryWrite(b.left)
		b.left = b.left[n:]
		if err != nil {
			d.fail()
		} else if len(b.left) == 0 {
			d.release(b)
		} else {
			d.late, d.writing = append(d.late, b), true
			d.conn.link.wg.Go(d.writeLate)
		}
	}
}

// writeLate writes at the pace of the receiver until nothing is late any more.
func (d *direction) writeLate() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.late) > 0 {
		b := d.late[0]
		if b == nil {
			d.end()
			return
		}
		d.mu.Unlock()
		err := d.to.write(b.left)
		d.mu.Lock()
		if d.broken {
			return
		}
		if err != nil {
			d.fail()
			return
		}
		d.late = d.late[1:]
		d.release(b)
	}
	d.late, d.writing = nil, false
}

// release takes back a buffer that has been written. d.mu is held.
func (d *direction) release(b *buffer) {
	d.held -= len(b.space)
	b.free()
	d.room.Signal()
}

// end passes on that nothing more comes. d.mu is held.
func (d *direction) end() {
	d.to.closeWrite()
	d.conn.ended()
}

// fail is for when the receiver is gone, which the sender will know as late as
// anything else. d.mu is held.
func (d *direction) fail() {
	d.stop()
	d.conn.link.queue.later(d.conn.reset)
}

// stop carries nothing any more. d.mu is held.
func (d *direction) stop() {
	d.broken, d.late = true, nil
	d.room.Signal()
}
