package rsocket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"warmline.dev/protocol/internal/carrier"
)

// webSocket makes a byte stream of a WebSocket: each binary message read comes
// out as a frame behind its length prefix, each prefixed frame of a Write leaves
// as one binary message. So whatever works on a stream works on it.
//
// Package websocket shakes hands and reads; frames are written here (see
// webSocketWriter). It reads through wire, and what it writes there by itself
// are control frames.
type webSocket struct {
	// immutable
	ws *websocket.Conn
	nc net.Conn // TCP or TLS

	// owned by the reader
	rest    []byte // of a message that was longer than the slice it was read into
	spill   []byte // the buffer that rest is in; nil when there is none
	readErr error  // package websocket can't go on after any error
	limit   int    // set before the first read

	shut atomic.Bool // CloseWrite was called: what still arrives is for nobody

	out webSocketWriter
}

// subprotocol is what either side names in its handshake; neither insists.
const subprotocol = "rsocket"

// idleBuffers makes package websocket hold no write buffer: it needs none.
var idleBuffers sync.Pool

// Bound takes the limits that the connection's Config sets, before any use.
func (c *webSocket) Bound(cfg Config) {
	c.limit = cfg.MaxFrame
	c.ws.SetReadLimit(int64(cfg.MaxFrame))
	c.out.patience = max(cfg.WriteTimeout, 0)
}

// defaults are for what no Config has bounded yet.
var defaults, _ = Config{}.WithDefaults()

// open makes a webSocket of a connection that has shaken hands through w.
func (w *wire) open(ws *websocket.Conn, client bool) *webSocket {
	c := &webSocket{ws: ws, nc: w.Conn}
	c.out.nc, c.out.client = w.Conn, client
	c.Bound(defaults)
	w.control = c.out.answer
	return c
}

// Read gives as much of one message, behind its length, as p holds.
func (c *webSocket) Read(p []byte) (int, error) {
	if len(c.rest) == 0 && c.readErr == nil && len(p) > 0 {
		if len(p) > prefixSize {
			return c.readMessage(p)
		}
		first := make([]byte, 64) // a reader that takes prefixes by themselves
		n, err := c.readMessage(first)
		if err != nil {
			return 0, err
		}
		c.rest, c.spill = append(first[:n:n], c.rest...), nil
	}
	switch {
	case len(c.rest) > 0:
		n := copy(p, c.rest)
		if c.rest = c.rest[n:]; len(c.rest) == 0 {
			putBuffer(c.spill)
			c.rest, c.spill = nil, nil // a connection on which nothing happens holds none
		}
		return n, nil
	case len(p) == 0:
		return 0, nil
	case c.shut.Load() && !errors.Is(c.readErr, io.EOF):
		// Only so that the peer is not reset: these are no frames any more.
		return c.nc.Read(p)
	}
	return 0, c.readErr
}

// readMessage reads the next message into p behind its length, and what p does
// not hold into c.rest.
func (c *webSocket) readMessage(p []byte) (int, error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, c.fail(err, false)
	}
	if kind != websocket.BinaryMessage {
		c.out.closeWith(websocket.CloseUnsupportedData, "expected binary messages")
		c.readErr = errors.New("a WebSocket text message, expected binary ones")
		return 0, c.readErr
	}
	n := prefixSize
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err == io.EOF {
			putLength(p, n-prefixSize)
			return n, nil
		}
		if err != nil {
			return 0, c.fail(err, true)
		}
	}
	if err := c.readRest(r); err != nil {
		return 0, c.fail(err, true)
	}
	putLength(p, n-prefixSize+len(c.rest))
	return n, nil
}

func putLength(p []byte, n int) { p[0], p[1], p[2] = byte(n>>16), byte(n>>8), byte(n) }

// readRest reads to the end of a message. The buffer grows with what arrives,
// whatever length was announced.
func (c *webSocket) readRest(r io.Reader) error {
	n := 0
	for {
		if n == len(c.spill) {
			grown := getBuffer(max(smallBuffer, 2*n))
			copy(grown, c.spill)
			putBuffer(c.spill)
			c.spill = grown
		}
		m, err := r.Read(c.spill[n:])
		n += m
		if err == io.EOF && n == 0 { // p was just long enough
			putBuffer(c.spill)
			c.spill = nil
			return nil
		}
		if err == io.EOF {
			c.rest = c.spill[:n]
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fail keeps and returns what an error of package websocket means.
func (c *webSocket) fail(err error, within bool) error {
	if errors.Is(err, websocket.ErrReadLimit) {
		err = carrier.FrameTooLong{Size: c.limit + 1, Limit: c.limit} // at least so much
	} else if e, ok := errors.AsType[*websocket.CloseError](err); ok {
		switch e.Code {
		case websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived:
			err = io.EOF
		case websocket.CloseAbnormalClosure: // none was received
			err = io.EOF
			if within {
				err = io.ErrUnexpectedEOF
			}
		default:
			err = fmt.Errorf("the peer closed the WebSocket: %w", err)
		}
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		err = os.ErrDeadlineExceeded
	}
	c.readErr = err
	return err
}

func (c *webSocket) Write(b []byte) (int, error) { return c.out.write(b) }

// CloseWrite sends a close message, of code 1000 unless there is a reason for
// another. Nothing can be written then; reading goes on.
func (c *webSocket) CloseWrite() error {
	c.shut.Store(true)
	return c.out.sayClose()
}

// Close sends a close message if none was sent and none of the writes waits, and
// closes what is underneath.
func (c *webSocket) Close() error {
	if c.out.stop() {
		_ = c.out.sayClose() // it may be gone
	}
	err := c.nc.Close()
	c.out.answers.Wait()
	return err
}

// NetConn is what is underneath.
func (c *webSocket) NetConn() net.Conn { return c.nc }

func (c *webSocket) LocalAddr() net.Addr  { return c.nc.LocalAddr() }
func (c *webSocket) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

func (c *webSocket) SetReadDeadline(t time.Time) error  { return c.nc.SetReadDeadline(t) }
func (c *webSocket) SetWriteDeadline(t time.Time) error { return c.out.setDeadline(t) }

func (c *webSocket) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// wire is the connection that package websocket sees.
type wire struct {
	net.Conn

	// While hands are shaken control is nil: all passes, up to a limit.
	control func(b []byte) // takes one control frame
	read    int
}

const maxHandshake = 64 << 10 // bytes that a server may answer a handshake with

func (w *wire) Read(p []byte) (int, error) {
	if w.control == nil {
		if w.read > maxHandshake {
			return 0, fmt.Errorf("more than %d bytes of HTTP headers", maxHandshake)
		}
		p = p[:min(len(p), maxHandshake+1-w.read)]
	}
	n, err := w.Conn.Read(p)
	if w.control == nil {
		w.read += n
	}
	if n > 0 {
		err = nil // it comes again: package websocket takes data and end for a whole message
	}
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	if w.control == nil {
		return w.Conn.Write(b)
	}
	w.control(b)
	return len(b), nil
}

// SetWriteDeadline is for the handshake: later, package websocket writes nothing.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if w.control != nil {
		return nil
	}
	return w.Conn.SetWriteDeadline(t)
}
