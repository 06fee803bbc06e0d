package rsocketgo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var errGaveUp = fmt.Errorf("%w: rsocket-go gave it up", rsocket.ErrClosed)

// mostOwed bounds what this side owes a peer that does not read, in bytes.
const mostOwed = 1 << 20

var errNotRead = errors.New("the peer does not read what it asks for")

// reader reads frames from the socket.
type reader struct {
	c     *Conn
	in    *bufio.Reader
	until time.Time     // when the first frame has to have arrived; zero once it has
	quiet time.Duration // how long the peer may be silent after that
}

func (c *Conn) newReader() *reader {
	r := &reader{c: c}
	r.in = bufio.NewReaderSize(r, 16<<10)
	return r
}

// Read reads from the socket: whatever comes is a sign of life.
func (r *reader) Read(p []byte) (int, error) {
	c := r.c
	c.mu.Lock()
	if c.err == nil && c.writeErr == nil { // otherwise a deadline is set, and is meant to wake this loop
		until := r.until
		if r.quiet > 0 {
			until = time.Now().Add(r.quiet)
		}
		_ = c.wire.nc.SetReadDeadline(until) // a dead socket says so on read
	}
	c.mu.Unlock()
	return c.wire.nc.Read(p)
}

// next returns the next frame, in a slice of its own. A length that the peer
// only announces reserves no memory.
func (r *reader) next() ([]byte, error) {
	prefix, err := r.in.Peek(prefixSize)
	if err != nil {
		return nil, err
	}
	n := int(prefix[0])<<16 | int(prefix[1])<<8 | int(prefix[2])
	_, _ = r.in.Discard(prefixSize) // they are there
	if most := r.c.cfg.MaxFrame; n > most {
		return nil, carrier.FrameTooLong{Size: n, Limit: most}
	}
	const trusted = 64 << 10
	b := bytes.NewBuffer(make([]byte, 0, min(n, trusted)))
	if _, err := io.CopyN(b, r.in, int64(n)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// readLoop judges what arrives until the connection ends. It never waits for
// the application.
func (c *Conn) readLoop(r *reader, down <-chan struct{}) {
	defer c.takeDown(down)
	r.until, r.quiet = time.Time{}, c.setup.Lifetime
	if !c.client {
		r.quiet = c.cfg.LifetimeOf(c.setup)
	}
	for !c.over.Load() {
		b, err := r.next()
		if err != nil {
			c.readFailed(r, err)
			return
		}
		f, err := frame.Parse(b)
		if err == nil {
			err = c.judge(&f, b)
		} else if f.Has(frame.FlagIgnore) {
			err = nil
		}
		if err == nil && c.wire.owes() > mostOwed {
			err = errNotRead
		}
		if err != nil {
			c.endWith(&rsocket.Error{Code: frame.CodeConnectionError, Message: err.Error(), Conn: true})
		}
	}
}

// readFailed is what a failed read, or the failed write that came before it,
// means for the connection.
func (c *Conn) readFailed(r *reader, err error) {
	c.mu.Lock()
	writeErr := c.writeErr
	c.mu.Unlock()
	long, isLong := errors.AsType[carrier.FrameTooLong](err)
	ne, isNet := errors.AsType[net.Error](err)
	switch {
	case isLong:
		c.endWith(&rsocket.Error{Code: frame.CodeConnectionError, Message: long.Error(), Conn: true})
	case writeErr != nil:
		c.end(writeErr)
	case isNet && ne.Timeout() && !c.over.Load():
		c.endWith(&rsocket.Error{
			Code: frame.CodeConnectionError, Conn: true,
			Message: fmt.Sprintf("no frame for %v, the lifetime of the connection", r.quiet),
		})
	default:
		c.end(readErr(err))
	}
}

// readErr is what a failed read says.
func readErr(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: by the peer", rsocket.ErrClosed)
	}
	return fmt.Errorf("%w: read: %w", rsocket.ErrClosed, err)
}

// writeFailed leaves the end to the read loop, for a moment: a peer that refuses
// says why and closes, and what it said may have arrived.
func (c *Conn) writeFailed(err error) {
	const moment = 100 * time.Millisecond
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.writeErr = fmt.Errorf("%w: write: %w", rsocket.ErrClosed, err)
		_ = c.wire.nc.SetReadDeadline(time.Now().Add(moment)) // an error means that reading ends at once
	}
}
