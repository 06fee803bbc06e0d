package rsocket

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket/frame"
)

// session is what makes a connection outlive its carrier (specification,
// "Resuming Operation"): when that is lost, streams stay, what they send is
// kept, and the read loop waits for another carrier to go on with.
type session struct {
	c      *Conn
	token  []byte
	redial func(ctx context.Context) (net.Conn, error) // the client's way to a new carrier
	offers chan offer                                  // the server's

	received atomic.Uint64 // position up to where the peer's frames have arrived
	told     uint64        // the last one that this side told unasked; owned by the read loop
	away     atomic.Bool   // there is no carrier at the moment
}

// offer is a new carrier with its peer's RESUME.
type offer struct {
	nc     net.Conn
	r      *reader
	fd     *descriptor
	resume frame.Resume
}

// resumable makes c outlive its carrier. It is called before c has a stream.
func (c *Conn) resumable(token []byte) {
	c.mu.Lock()
	c.session = &session{c: c, token: token, offers: make(chan offer)}
	c.mu.Unlock()
	c.w.mu.Lock()
	c.w.kept = &retained{limit: c.cfg.MaxRetained}
	c.w.mu.Unlock()
}

// countReceived moves the position on. It is told to the peer before that has
// to drop what this side may still need.
func (c *Conn) countReceived(f *frame.Frame, size int) {
	s := c.session
	if !frame.Resumable(f.StreamID, f.Type) {
		return
	}
	if now := s.received.Add(uint64(size)); now-s.told > uint64(c.cfg.MaxRetained/4) {
		s.told = now
		c.sendKeepAlive(false, nil)
	}
}

// peerReceived drops what need not be sent again.
func (c *Conn) peerReceived(position uint64) error {
	if c.session == nil {
		return nil
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.w.kept == nil || position < c.w.kept.first {
		return nil // an older word than what was dropped for lack of room
	}
	if err := c.w.kept.received(position); err != nil {
		return fmt.Errorf("KEEPALIVE: %w", err)
	}
	return nil
}

// lost gives the carrier up, so that the read loop looks for another. It
// reports whether it does.
func (s *session) lost() bool {
	if s.c.Draining() {
		return false
	}
	if !s.away.Load() {
		_ = s.c.carrier().Close() // the read loop sees it
	}
	return true
}

// rejoin waits for another carrier, and goes on with it. It returns why there
// is none.
func (c *Conn) rejoin(cause error) error {
	s := c.session
	s.away.Store(true)
	_ = c.carrier().Close() // it is of no use any more
	c.w.detach()
	c.leased.expire()
	c.r.release()
	within := time.NewTimer(c.cfg.ResumeFor)
	defer within.Stop()
	var err error
	if c.client {
		err = s.call(within.C)
	} else {
		err = s.receive(within.C)
	}
	if err != nil {
		return fmt.Errorf("%w: %w; not resumed: %w", ErrClosed, cause, err)
	}
	s.away.Store(false)
	if c.granted.on {
		c.grant()
	}
	return nil
}

// use goes on with a carrier. Hello is what it begins with: frames that count
// follow from position on.
func (s *session) use(o offer, position uint64, hello []byte) error {
	c := s.c
	if err := c.w.attach(o.nc, o.fd, position, hello); err != nil {
		return err
	}
	c.r = o.r
	c.lastRead.Store(time.Now().UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc, c.writeErr = o.nc, nil
	if c.err != nil {
		_ = o.nc.SetReadDeadline(time.Unix(1, 0)) // end has missed it
	}
	return nil
}

// call dials until the server takes the connection back, or does not.
func (s *session) call(within <-chan time.Time) error {
	const longest = 2 * time.Second
	ctx := s.c.ctx
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, longest) {
		timeout, cancelDial := context.WithTimeout(ctx, s.c.cfg.handshake())
		err, final := s.resume(timeout)
		cancelDial()
		if err == nil || final {
			return err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-within:
			return fmt.Errorf("within %v: %w", s.c.cfg.ResumeFor, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// resume makes one attempt. Final says that no other is worth making.
func (s *session) resume(ctx context.Context) (err error, final bool) { //nolint:revive // final is about err
	c := s.c
	nc, err := s.redial(ctx)
	if err != nil {
		return err, false
	}
	defer func() {
		if err != nil {
			_ = nc.Close() // what went wrong is told
		}
	}()
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	first, received := c.w.firstKept(), s.received.Load()
	hello := frame.AppendResume(make([]byte, prefixSize), frame.Resume{Token: s.token, ServerPosition: received, ClientPosition: first})
	if _, err := nc.Write(withPrefix(hello)); err != nil {
		return err, false
	}
	fd := descriptorOf(nc)
	r := newReader(nc, fd, c.cfg.MaxFrame)
	b, err := r.next()
	if err != nil {
		return fmt.Errorf("the answer to RESUME: %w", err), false
	}
	f, err := frame.Parse(b)
	switch {
	case err != nil:
		return fmt.Errorf("the answer to RESUME: %w", err), true
	case f.Type == frame.TypeError && f.StreamID == 0:
		return &Error{Code: f.Code, Message: string(f.Data), Remote: true, Conn: true}, true
	case f.Type != frame.TypeResumeOK:
		return fmt.Errorf("%s on stream %d answers RESUME, expected RESUME_OK or ERROR", f.Type, f.StreamID), true
	}
	if !stop() {
		return ctx.Err(), false
	}
	if err := s.use(offer{nc: nc, r: r, fd: fd}, f.Position, nil); err != nil {
		e := &Error{Code: frame.CodeConnectionError, Message: err.Error(), Conn: true}
		_, _ = nc.Write(withPrefix(frame.AppendError(make([]byte, prefixSize), 0, e.Code, e.Message)))
		return e, true
	}
	return nil, false
}

// receive waits for a carrier on which the client resumes.
func (s *session) receive(within <-chan time.Time) error {
	select {
	case o := <-s.offers:
		err := s.take(o)
		if err != nil {
			refuse(o.nc, &Error{Code: frame.CodeRejectedResume, Message: err.Error()})
		}
		return err // the client will not try again
	case <-within:
		return fmt.Errorf("the client did not come back within %v", s.c.cfg.ResumeFor)
	case <-s.c.ctx.Done():
		return s.c.Err()
	}
}

// take goes on with the client's new carrier if neither side lacks a frame.
func (s *session) take(o offer) error {
	received := s.received.Load()
	if o.resume.ClientPosition > received {
		return fmt.Errorf("the client keeps frames from position %d on, %d is needed", o.resume.ClientPosition, received)
	}
	ok := frame.AppendResumeOK(make([]byte, prefixSize), received)
	return s.use(o, o.resume.ServerPosition, withPrefix(ok))
}

// offer hands a new carrier to the session's read loop, and makes that let go of
// an old one which it may not have seen break.
func (s *session) offer(o offer) bool {
	for {
		_ = s.lost()
		select {
		case s.offers <- o:
			return true
		case <-s.c.done:
			return false
		case <-time.After(10 * time.Millisecond): // it may have been between two carriers
		}
	}
}

// withPrefix fills in the length of a frame that stands behind three bytes.
func withPrefix(b []byte) []byte {
	n := len(b) - prefixSize
	b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n)
	return b
}

// refuse tells a peer why and ends a carrier that no connection has.
func refuse(nc net.Conn, e *Error) {
	const patience = time.Second
	_ = nc.SetWriteDeadline(time.Now().Add(patience))
	if _, err := nc.Write(withPrefix(frame.AppendError(make([]byte, prefixSize), 0, e.Code, e.Message))); err == nil {
		carrier.Linger(nc, patience)
	}
	_ = nc.Close() // what could be told has been told
}
