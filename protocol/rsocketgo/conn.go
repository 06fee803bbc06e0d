package rsocketgo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	library "github.com/rsocket/rsocket-go"

	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// Conn is one connection that rsocket-go carries, the counterpart of
// [rsocket.Conn]. All methods may be called by many goroutines at once.
type Conn struct {
	// immutable once the connection is set up
	cfg     rsocket.Config
	setup   rsocket.Setup
	client  bool
	handler rsocket.Handler
	socket  library.RSocket // of which requests are made
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	stands  chan struct{} // closed when requests can be made
	done    chan struct{} // closed when the connection has ended and err says why
	wg      sync.WaitGroup

	wire    *wire
	gate    gate           // who is inside the library
	calls   sync.WaitGroup // request-responses that the library has not let go of
	room    chan struct{}  // holds one for each frame that waits in the library's queue
	streams table
	parts   parts // owned by the read loop

	asking sync.Mutex // requests are made of the library one by one, as it numbers them
	nextID uint32     // what it takes next; guarded by asking

	unread   atomic.Int64 // bytes that arrived and are not done with
	places   atomic.Int64 // the peer's requests that count towards MaxStreams
	inbound  atomic.Int64 // the peer's requests that have not ended
	outbound atomic.Int64 // own requests that have not ended
	draining atomic.Bool  // takes no new requests, ends when nothing is under way
	over     atomic.Bool  // err is set

	// guarded by mu
	mu       sync.Mutex
	err      error // why it ended; nil while it stands
	writeErr error // the socket takes no more
	fatal    bool  // an ERROR frame was sent on stream 0: linger so that the peer can read it
}

// roomInQueue is how many of this side's frames may wait in the library's queue,
// which has room for twice as many: so putting one in does not wait.
const roomInQueue = 32

func newConn(nc net.Conn, setup rsocket.Setup, cfg rsocket.Config, client bool) *Conn {
	c := &Conn{
		cfg: cfg, setup: setup, client: client, nextID: 2,
		gate: newGate(), stands: make(chan struct{}), done: make(chan struct{}), room: make(chan struct{}, roomInQueue),
	}
	if client {
		c.nextID = 1
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	carrier.Bound(nc, cfg)
	c.wire = newWire(c, nc)
	return c
}

var _ rsocket.Requester = (*Conn)(nil)

// Setup is what the dialling side declared, with its payload.
func (c *Conn) Setup() rsocket.Setup { return c.setup }

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.wire.nc.LocalAddr() }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.wire.nc.RemoteAddr() }

// TLS is what the handshake agreed on, as [rsocket.Conn.TLS] is.
func (c *Conn) TLS() *tls.ConnectionState { return carrier.TLS(c.wire.nc) }

// Done is closed when the connection has ended; [Conn.Err] then says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.ctx }

// Err is nil while the connection stands, and then an error that wraps
// [rsocket.ErrClosed]: an [*rsocket.Error] if either side said why.
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

// Fail ends the connection with an ERROR frame on stream 0 that carries code
// and message. It does not wait, so a handler may call it.
func (c *Conn) Fail(code rsocket.Code, message string) {
	c.endWith(&rsocket.Error{Code: code, Message: message, Conn: true})
}

// Close ends the connection at once: every stream under way fails with an error
// that wraps [rsocket.ErrClosed], handlers see their context end, and Close
// returns when they have returned and rsocket-go has let go of the connection. A
// handler must not call it. It may be called twice.
func (c *Conn) Close() error {
	c.end(fmt.Errorf("%w: by this side", rsocket.ErrClosed))
	<-c.done
	c.wg.Wait()
	return nil
}

// Shutdown ends the connection gracefully: the peer is told (CONNECTION_CLOSE),
// neither side makes new requests, and when the last one under way has ended, or
// ctx has, the connection is closed. It returns ctx's error if that came first.
//
// A peer that is rsocket-go without this package takes CONNECTION_CLOSE for the
// end and drops what is under way.
func (c *Conn) Shutdown(ctx context.Context) error {
	if c.draining.CompareAndSwap(false, true) {
		c.sendError(0, &rsocket.Error{Code: frame.CodeConnectionClose, Message: "closing gracefully"})
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
	if c.draining.Load() && c.InFlight() == 0 {
		c.end(fmt.Errorf("%w: gracefully", rsocket.ErrClosed))
	}
}

// endWith tells the peer why and ends the connection.
func (c *Conn) endWith(e *rsocket.Error) {
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
	c.mu.Unlock()
	c.gate.close()
	for _, s := range c.streams.close() {
		s.closed(err)
	}
	c.cancel()
	_ = c.wire.nc.SetReadDeadline(time.Unix(1, 0)) // an error means that the read loop is awake
	c.wire.wake()
}

// patience bounds what the end of a connection waits for its peer.
const patience = time.Second

// takeDown is the read loop's last act. The library must not close a connection
// on which anything moves: it panics, or fails a request of another connection.
// So nobody is inside it when it is told that the connection is at its end, and
// every request it still knows of has come to an end by then.
func (c *Conn) takeDown(down <-chan struct{}) {
	stuck := time.AfterFunc(patience, func() { _ = c.wire.nc.Close() }) // a peer that does not read
	<-c.gate.empty
	for range roomInQueue {
		select {
		case c.room <- struct{}{}: // in the end, all that was sent has been written
		case <-down: // the library gave up first
		}
	}
	c.wire.stop()
	stuck.Stop()
	left := c.streams.close()
	for id, s := range left {
		if s.waiting() {
			c.wire.conclude(id)
		}
	}
	c.wire.finish()
	<-down
	for _, s := range left {
		s.gone(c.Err())
	}
	c.mu.Lock()
	fatal := c.fatal
	c.mu.Unlock()
	if fatal {
		carrier.Linger(c.wire.nc, patience)
	}
	_ = c.wire.nc.Close() // what could be told has been told
	close(c.done)
}

// refusal says why no request can be made.
func (c *Conn) refusal(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.over.Load() {
		return fmt.Errorf("%w: %w", rsocket.ErrDraining, c.Err())
	}
	if c.draining.Load() {
		return rsocket.ErrDraining
	}
	return nil
}

// fits says why a payload can't be sent, or nil.
func (c *Conn) fits(p rsocket.Payload) error {
	if n := size(p); n > c.cfg.MaxPayload {
		return fmt.Errorf("%w: %d bytes, at most %d are sent (Config.MaxPayload)", rsocket.ErrTooLarge, n, c.cfg.MaxPayload)
	}
	if n, most := frame.PayloadSize(p.Metadata, p.Data), min(c.cfg.MaxFrame, longestFrame); n > most {
		return fmt.Errorf("%w: its frame takes %d bytes, at most %d are sent and in one piece (package rsocketgo)", rsocket.ErrTooLarge, n, most)
	}
	return nil
}

// takeRoom waits until a frame may be put into the library's queue. The wire
// gives the room back when it has written the frame.
func (c *Conn) takeRoom(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Err(); err != nil {
		return err
	}
	select {
	case c.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return c.Err()
	}
}

func (c *Conn) giveRoom() { <-c.room }

// asError turns what a handler returned into what goes on the wire.
func asError(err error) *rsocket.Error {
	if e, ok := errors.AsType[*rsocket.Error](err); ok && e.Code.ForStream() {
		return e
	}
	return &rsocket.Error{Code: frame.CodeApplication, Message: err.Error()}
}

// libraryError is an error of which rsocket-go sends code and text.
type libraryError struct{ e *rsocket.Error }

// libraryError makes one of what a handler returned.
func (c *Conn) libraryError(err error) error {
	e := *asError(err)
	e.Message = c.cut(e.Message)
	return libraryError{&e}
}

func (e libraryError) Error() string                { return e.e.Error() }
func (e libraryError) ErrorCode() library.ErrorCode { return library.ErrorCode(e.e.Code) }
func (e libraryError) ErrorData() []byte            { return []byte(e.e.Message) }

// cut makes a message fit an ERROR frame.
func (c *Conn) cut(message string) string {
	return message[:min(len(message), min(c.cfg.MaxFrame, longestFrame)-frame.HeaderSize-4)]
}

// told is the error that the library reports for a stream.
func (c *Conn) told(err error) error {
	if e, ok := errors.AsType[library.Error](err); ok {
		return &rsocket.Error{Code: rsocket.Code(e.ErrorCode()), Message: string(e.ErrorData()), Remote: true}
	}
	if err := c.Err(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", rsocket.ErrClosed, err)
}
