package rsocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket/frame"
)

// Handler says what one side of a connection answers. A nil function refuses
// its kind of request with REJECTED. The functions run on other goroutines than
// the connection's own, many at once; their context ends when the peer cancels
// or the connection is lost, and they must return soon after: Close waits for
// them.
type Handler struct {
	// Response answers a request-response. An [*Error] decides the code that the
	// peer sees; any other error is an APPLICATION_ERROR.
	Response func(ctx context.Context, request Payload) (Payload, error)

	// FireAndForget takes a request that nothing answers.
	FireAndForget func(ctx context.Context, request Payload)

	// Stream answers a request-stream with what it sends on items, of which the
	// peer grants the credit. When it returns nil the stream completes; an error
	// ends it as it ends a Response. Nothing can be received on items, and it must
	// not be used after Stream returned.
	Stream func(ctx context.Context, request Payload, items Channel) error

	// Channel serves a request-channel; the request's own payload is the first
	// that Recv returns. When it returns nil, the half that it sends completes and
	// the peer is told to stop if it has not; an error ends the channel as it ends
	// a Response. The channel must not be used after it returned.
	Channel func(ctx context.Context, ch Channel) error

	// MetadataPush takes metadata for the whole connection. It runs on the
	// connection's read loop, in order, and must not wait. The bytes are its own.
	MetadataPush func(metadata []byte)

	// Closing is told once that the peer is closing the connection gracefully
	// (CONNECTION_CLOSE): what is under way goes on, new requests are refused. It
	// runs on the connection's read loop and must not wait.
	Closing func()
}

// Conn is one connection. All methods may be called by many goroutines at once.
type Conn struct {
	// immutable once the connection is set up
	cfg     Config
	setup   Setup
	client  bool
	handler Handler
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	done    chan struct{} // closed when the connection has ended and err says why
	wg      sync.WaitGroup
	session *session // nil unless the connection can be resumed
	ended   func()   // a server's last act, when done is closed; nil for a client

	w       writer
	streams table
	work    work
	parts   parts  // payloads that have not arrived whole
	granted lease  // by this side, to the peer's requests
	leased  lease  // by the peer, to this side's requests
	nextID  uint32 // guarded by the writer's lock

	// Spare ones, kept for this connection only: a channel that was made inside a
	// bubble of testing/synctest must not be used outside.
	calls   sync.Pool // *call
	signals sync.Pool // chan struct{}, for waiters

	// owned by who has the turn
	turn    turn
	r       *reader
	lone    task  // a request that came last, and perhaps alone
	failure error // why who had the turn before could not read

	lastRead atomic.Int64 // Unix nanoseconds
	unread   atomic.Int64 // bytes that arrived and are not done with
	places   atomic.Int64 // the peer's requests that count towards MaxStreams
	inbound  atomic.Int64 // the peer's requests that have not ended
	outbound atomic.Int64 // own requests that have not ended
	draining atomic.Bool  // takes no new requests, ends when nothing is under way
	over     atomic.Bool  // err is set

	// guarded by mu
	mu         sync.Mutex
	nc         net.Conn
	writeErr   error       // the socket takes no more
	err        error       // why it ended; nil while it stands
	fatal      bool        // an ERROR frame was sent on stream 0: linger so that the peer can read it
	timer      *time.Timer // keepalive
	leaseTimer *time.Timer // renews the lease that this side grants
}

func newConn(nc net.Conn, setup Setup, cfg Config, client bool) *Conn {
	c := &Conn{nc: nc, cfg: cfg, setup: setup, client: client, done: make(chan struct{}), nextID: 2}
	if client {
		c.nextID = 1
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	carrier.Bound(nc, cfg)
	fd := descriptorOf(nc)
	c.r = newReader(nc, fd, cfg.MaxFrame)
	c.w = writer{nc: nc, fd: fd, limit: cfg.MaxUnwritten, timeout: cfg.WriteTimeout, wg: &c.wg, failed: c.writeFailed}
	c.w.flush, c.w.finish = c.w.flushAll, c.w.finishAll
	c.work.wg, c.work.loop = &c.wg, c.work.workOff
	c.lastRead.Store(time.Now().UnixNano())
	return c
}

// Setup is what the dialling side declared, with its payload.
func (c *Conn) Setup() Setup { return c.setup }

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.carrier().LocalAddr() }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.carrier().RemoteAddr() }

// carrier is what the frames travel on at the moment.
func (c *Conn) carrier() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nc
}

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
func (c *Conn) Draining() bool { return c.draining.Load() || c.over.Load() }

// InFlight counts the requests under way in both directions.
func (c *Conn) InFlight() int { return int(c.inbound.Load() + c.outbound.Load()) }

// PushMetadata sends metadata for the whole connection (METADATA_PUSH). Nothing
// answers it.
func (c *Conn) PushMetadata(ctx context.Context, metadata []byte) error {
	if frame.HeaderSize+len(metadata) > c.cfg.MaxFrame {
		return ErrTooLarge
	}
	b, err := c.room(ctx, Payload{Metadata: metadata})
	if err == nil {
		c.w.end(frame.AppendMetadataPush(b, metadata))
	}
	return err
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
	c.mu.Lock()
	resumable := c.session != nil
	c.mu.Unlock()
	if resumable {
		// Otherwise the peer would take it for a lost carrier and wait.
		c.endWith(&Error{Code: frame.CodeConnectionClose, Message: "closed", Conn: true})
	}
	c.end(fmt.Errorf("%w: by this side", ErrClosed))
	<-c.done
	c.wg.Wait()
	return nil
}

// Shutdown ends the connection gracefully: the peer is told (CONNECTION_CLOSE),
// neither side makes new requests, and when the last one under way has ended, or
// ctx has, the connection is closed. It returns ctx's error if that came first.
func (c *Conn) Shutdown(ctx context.Context) error {
	if c.draining.CompareAndSwap(false, true) {
		c.sendError(0, &Error{Code: frame.CodeConnectionClose, Message: "closing gracefully"})
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

// endIfDrained ends a draining connection on which nothing is under way. Whoever
// begins a request counts it first and looks at draining then, so that one of
// the two sees the other.
func (c *Conn) endIfDrained() {
	if c.draining.Load() && c.inbound.Load() == 0 && c.outbound.Load() == 0 {
		c.end(fmt.Errorf("%w: gracefully", ErrClosed))
	}
}

// endWith tells the peer why and ends the connection.
func (c *Conn) endWith(e *Error) {
	c.mu.Lock()
	first := c.err == nil && !c.fatal
	c.fatal = c.fatal || first
	c.mu.Unlock()
	if first {
		c.sendError(0, e)
	}
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
	c.over.Store(true)
	for _, t := range []*time.Timer{c.timer, c.leaseTimer} {
		if t != nil {
			t.Stop()
		}
	}
	c.mu.Unlock()
	for _, s := range c.streams.close() {
		s.closed(err)
	}
	c.granted.close()
	c.leased.close()
	c.cancel()
	_ = c.carrier().SetReadDeadline(time.Unix(1, 0)) // wakes the read loop; an error means that it is awake
	c.startReading()
}

// clearReadDeadline takes back a deadline, but not the one that ends the connection.
func (c *Conn) clearReadDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.writeErr == nil {
		_ = c.nc.SetReadDeadline(time.Time{}) // a dead socket says so on read
	}
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

// readFailed is what a failed read, or the failed write that came before it,
// means for the connection.
func (c *Conn) readFailed(err error) error {
	c.mu.Lock()
	writeErr := c.writeErr
	c.mu.Unlock()
	switch long, ok := errors.AsType[carrier.FrameTooLong](err); {
	case ok:
		return &Error{Code: frame.CodeConnectionError, Message: long.Error(), Conn: true}
	case writeErr != nil:
		return writeErr
	}
	return readErr(err)
}
