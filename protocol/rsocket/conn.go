package rsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// Handler says what one side of a connection answers. A nil function refuses
// its kind of request with REJECTED. The functions run on goroutines of their
// own, many at once; their context ends when the peer cancels or the connection
// is lost, and they must return soon after: Close waits for them.
type Handler struct {
	// Response answers a request-response. An [*Error] decides the code that the
	// peer sees; any other error is an APPLICATION_ERROR.
	Response func(ctx context.Context, request Payload) (Payload, error)

	// Channel serves a request-channel; the request's own payload is the first
	// that Recv returns. When it returns nil, the half that it sends completes and
	// the peer is told to stop if it has not; an error ends the channel as it ends
	// a Response. The channel must not be used after it returned.
	Channel func(ctx context.Context, ch *Channel) error

	// MetadataPush takes metadata for the whole connection. It runs on the
	// connection's read loop, in order, and must not wait. The bytes are its own.
	MetadataPush func(metadata []byte)
}

// Conn is one connection. All methods may be called by many goroutines at once.
type Conn struct {
	// immutable
	nc     net.Conn
	cfg    Config
	setup  Setup
	client bool
	ctx    context.Context // ends with the connection; parent of every handler's
	cancel context.CancelFunc
	w      writer
	done   chan struct{} // closed when the connection has ended and err says why
	wg     sync.WaitGroup

	// owned by the read loop
	r       reader
	handler Handler

	lastRead atomic.Int64 // Unix nanoseconds
	unread   atomic.Int64 // bytes that channels hold for Recv

	// guarded by mu
	mu       sync.Mutex
	streams  map[uint32]stream
	nextID   uint32
	inbound  int         // handlers that run
	outbound int         // own requests under way
	writeErr error       // the socket takes no more
	draining bool        // takes no new requests, ends when nothing is under way
	err      error       // why it ended; nil while it stands
	fatal    bool        // an ERROR frame was sent on stream 0: linger so that the peer can read it
	timer    *time.Timer // keepalive
}

// stream is what the read loop tells a stream of. None of these waits.
type stream interface {
	payload(f *frame.Frame)
	failed(err *Error)
	canceled()
	granted(n uint32)
	closed(err error) // the connection has ended
}

func newConn(nc net.Conn, setup Setup, cfg Config, client bool) *Conn {
	c := &Conn{
		nc: nc, cfg: cfg, setup: setup, client: client,
		done: make(chan struct{}), streams: map[uint32]stream{}, nextID: 2,
	}
	if client {
		c.nextID = 1
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.r = reader{src: nc, maxFrame: cfg.MaxFrame}
	c.w = writer{
		nc: nc, limit: cfg.MaxUnwritten, timeout: cfg.WriteTimeout, spawn: c.wg.Go,
		failed: c.writeFailed,
	}
	c.lastRead.Store(time.Now().UnixNano())
	return c
}

// Setup is what the dialling side declared, with its payload.
func (c *Conn) Setup() Setup { return c.setup }

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Done is closed when the connection has ended; [Conn.Err] then says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.ctx }

// Err is nil while the connection stands, and then an error that wraps
// [ErrClosed]: an [*Error] if either side said why.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Draining reports whether the connection takes no new requests: either side is
// closing it gracefully, or it has ended.
func (c *Conn) Draining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining || c.err != nil
}

// InFlight counts the requests under way in both directions.
func (c *Conn) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inbound + c.outbound
}

// Fail ends the connection with an ERROR frame on stream 0 that carries code
// and message. It does not wait, so a handler may call it.
func (c *Conn) Fail(code Code, message string) {
	c.endWith(&Error{Code: code, Message: message, Conn: true})
}

// Close ends the connection at once: every stream under way fails with an error
// that wraps [ErrClosed], handlers see their context end, and Close returns when
// they have returned. A handler must not call it. It may be called twice.
func (c *Conn) Close() error {
	c.end(fmt.Errorf("%w: by this side", ErrClosed))
	<-c.done
	c.wg.Wait()
	return nil
}

// Shutdown ends the connection gracefully: the peer is told (CONNECTION_CLOSE),
// neither side makes new requests, and when the last one under way has ended, or
// ctx has, the connection is closed. It returns ctx's error if that came first.
func (c *Conn) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	first := c.err == nil && !c.draining
	c.draining = true
	c.mu.Unlock()
	if first {
		if b := c.w.force(); b != nil {
			c.w.end(frame.AppendError(b, 0, frame.CodeConnectionClose, "closing gracefully"))
		}
	}
	c.endIfDrained()
	var err error
	select {
	case <-c.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = c.Close() // never fails
	return err
}

// endIfDrained ends a draining connection on which nothing is under way.
func (c *Conn) endIfDrained() {
	c.mu.Lock()
	over := c.draining && c.inbound == 0 && c.outbound == 0
	c.mu.Unlock()
	if over {
		c.end(fmt.Errorf("%w: gracefully", ErrClosed))
	}
}

// endWith tells the peer why and ends the connection.
func (c *Conn) endWith(e *Error) {
	c.mu.Lock()
	if c.err == nil {
		if b := c.w.force(); b != nil {
			c.w.end(frame.AppendError(b, 0, e.Code, c.clip(e.Message)))
			c.fatal = true
		}
	}
	c.mu.Unlock()
	c.end(e)
}

// end marks the connection as over and wakes the read loop, which takes it down.
func (c *Conn) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	if c.timer != nil {
		c.timer.Stop()
	}
	streams := c.streams
	c.streams = nil
	c.mu.Unlock()
	for _, s := range streams {
		s.closed(err)
	}
	c.cancel()
	_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the read loop; an error means that it is awake
}

// writeFailed leaves the end to the read loop, for a moment: a peer that refuses
// says why and closes, and what it said may have arrived.
func (c *Conn) writeFailed(err error) {
	const moment = 100 * time.Millisecond
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeErr = fmt.Errorf("%w: write: %w", ErrClosed, err)
	if c.err == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(moment)) // an error means that reading ends at once
	}
}

// readFailed ends the connection because of a failed read, or of the failed
// write that came before it.
func (c *Conn) readFailed(err error) {
	c.mu.Lock()
	writeErr := c.writeErr
	c.mu.Unlock()
	if long, ok := errors.AsType[errFrameTooLong](err); ok {
		c.endWith(&Error{Code: frame.CodeConnectionError, Message: long.Error(), Conn: true})
	} else if writeErr != nil {
		c.end(writeErr)
	} else {
		c.end(readErr(err))
	}
}

// takeDown is the read loop's last act.
func (c *Conn) takeDown() {
	const patience = time.Second
	c.w.stop(patience)
	c.mu.Lock()
	fatal := c.fatal
	c.mu.Unlock()
	if fatal {
		c.linger(patience)
	}
	_ = c.nc.Close() // what could be told has been told
	close(c.done)
}

// linger reads what the peer still sends, for a bounded time and size: closing
// a socket with unread bytes resets it, and the peer would lose the ERROR frame.
func (c *Conn) linger(patience time.Duration) {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.nc, 1<<20)) // whatever ends it ends it
}

// readErr is what a failed read means for the connection.
func readErr(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: by the peer", ErrClosed)
	}
	return fmt.Errorf("%w: read: %w", ErrClosed, err)
}
