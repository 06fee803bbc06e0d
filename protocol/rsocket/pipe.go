package rsocket

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pipe returns the two ends of a connection in memory, for tests: [Client] on
// the one, [Server.ServeConn] on the other. It behaves as a socket does: what is
// written waits in a buffer of 64 KiB a direction, deadlines hold, and either
// direction can be closed by itself (CloseWrite). In a bubble of testing/synctest
// time is the bubble's, and a wait is durable.
func Pipe() (client, server net.Conn) {
	there, back := newPipeBuffer(), newPipeBuffer()
	return &pipeEnd{in: back, out: there}, &pipeEnd{in: there, out: back}
}

const pipeSize = 64 << 10

// pipeBuffer is one direction.
type pipeBuffer struct {
	mu      sync.Mutex
	changed sync.Cond

	// guarded by mu
	b                   []byte
	writeDone, readDone bool // closed by the one, by the other end
	read, write         pipeDeadline
}

func newPipeBuffer() *pipeBuffer {
	p := &pipeBuffer{}
	p.changed.L = &p.mu
	return p
}

func (p *pipeBuffer) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readDone:
			return 0, io.ErrClosedPipe
		case p.read.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p.b) > 0:
			n := copy(b, p.b)
			p.b = p.b[n:]
			p.changed.Broadcast()
			return n, nil
		case p.writeDone:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		p.changed.Wait()
	}
}

func (p *pipeBuffer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for {
		switch {
		case p.writeDone || p.readDone:
			return written, io.ErrClosedPipe
		case p.write.passed:
			return written, os.ErrDeadlineExceeded
		}
		n := min(len(b), pipeSize-len(p.b))
		p.b = append(p.b, b[:n]...)
		b = b[n:]
		written += n
		if n > 0 {
			p.changed.Broadcast()
		}
		if len(b) == 0 {
			return written, nil
		}
		p.changed.Wait()
	}
}

// close ends the direction, for whom done says.
func (p *pipeBuffer) close(done *bool, d *pipeDeadline) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*done = true
	d.stop()
	if p.readDone {
		p.b = nil
	}
	p.changed.Broadcast()
}

// pipeDeadline is guarded by its buffer's mu.
type pipeDeadline struct {
	timer  *time.Timer
	passed bool
}

func (d *pipeDeadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (p *pipeBuffer) setDeadline(done *bool, d *pipeDeadline, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *done {
		return io.ErrClosedPipe
	}
	d.stop()
	wait := time.Until(t)
	d.passed = !t.IsZero() && wait <= 0
	if !t.IsZero() && wait > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if d.timer == timer { // it may have been moved meanwhile
				d.passed = true
				p.changed.Broadcast()
			}
		})
		d.timer = timer
	}
	p.changed.Broadcast()
	return nil
}

// pipeEnd is one end.
type pipeEnd struct{ in, out *pipeBuffer }

func (e *pipeEnd) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e *pipeEnd) Write(b []byte) (int, error) { return e.out.Write(b) }

// CloseWrite ends what this end sends; the peer reads what waits and then io.EOF.
func (e *pipeEnd) CloseWrite() error {
	e.out.close(&e.out.writeDone, &e.out.write)
	return nil
}

func (e *pipeEnd) Close() error {
	e.in.close(&e.in.readDone, &e.in.read)
	return e.CloseWrite()
}

func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	return e.in.setDeadline(&e.in.readDone, &e.in.read, t)
}

func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	return e.out.setDeadline(&e.out.writeDone, &e.out.write, t)
}

func (e *pipeEnd) SetDeadline(t time.Time) error {
	if err := e.SetReadDeadline(t); err != nil {
		return err
	}
	return e.SetWriteDeadline(t)
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (e *pipeEnd) LocalAddr() net.Addr  { return pipeAddr{} }
func (e *pipeEnd) RemoteAddr() net.Addr { return pipeAddr{} }
