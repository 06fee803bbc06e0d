package rsocket

import (
	"fmt"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// Config bounds a connection. The zero value is ready to use: 0 is the default,
// negative is off where the field says so. A Config is copied when it is used.
type Config struct {
	// MaxFrame is the longest frame sent or taken, in bytes without the length
	// prefix. Default and upper limit 16,777,215. A peer that announces a longer
	// one gets CONNECTION_ERROR; a local payload that needs one, [ErrTooLarge].
	MaxFrame int

	// MaxStreams bounds the peer's requests that are being answered at once.
	// Default 4,096; negative: none are taken. Beyond it the peer gets REJECTED,
	// which says that nothing was done. A request that the peer cancelled counts
	// until its handler has returned.
	MaxStreams int

	// Window is the credit a channel grants its peer: the items that may wait to
	// be taken with Recv. Default 32. A peer that sends more than it was granted
	// gets INVALID on that stream.
	Window int

	// MaxUnread bounds the bytes of items, over all channels of the connection,
	// that arrived and were not taken with Recv yet. Default 64 MiB. The channel
	// that would pass it ends with CANCELED.
	MaxUnread int

	// MaxUnwritten bounds the bytes that wait for the socket. Default 1 MiB. At
	// the bound local senders wait; a peer that makes this side owe it twice as
	// much in answers the engine itself gives, and does not read, is disconnected.
	MaxUnwritten int

	// MaxConns bounds the connections that a server holds, those still being set
	// up included. Default 10,000. One more is closed as soon as it is accepted.
	MaxConns int

	// FirstFrameTimeout is how long a server waits for SETUP. Default 10 s;
	// negative: for ever. Then the peer gets INVALID_SETUP.
	FirstFrameTimeout time.Duration

	// WriteTimeout is how long one write to the socket may take before the
	// connection counts as dead. Default 15 s; negative: for ever.
	WriteTimeout time.Duration
}

// withDefaults returns a copy with every zero replaced, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.MaxFrame == 0 {
		c.MaxFrame = frame.MaxSize
	}
	if c.MaxFrame < 64 || c.MaxFrame > frame.MaxSize {
		return c, fmt.Errorf("rsocket: MaxFrame is %d, expected 64 to %d bytes", c.MaxFrame, frame.MaxSize)
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 4096
	}
	c.MaxStreams = max(c.MaxStreams, 0)
	if c.Window == 0 {
		c.Window = 32
	}
	if c.Window < 1 || c.Window > frame.MaxCredit {
		return c, fmt.Errorf("rsocket: Window is %d, expected 1 to %d items", c.Window, frame.MaxCredit)
	}
	for name, f := range map[string]*int{"MaxUnread": &c.MaxUnread, "MaxUnwritten": &c.MaxUnwritten, "MaxConns": &c.MaxConns} {
		if *f < 0 {
			return c, fmt.Errorf("rsocket: %s is %d, expected a positive number", name, *f)
		}
	}
	if c.MaxUnread == 0 {
		c.MaxUnread = 64 << 20
	}
	if c.MaxUnwritten == 0 {
		c.MaxUnwritten = 1 << 20
	}
	if c.MaxConns == 0 {
		c.MaxConns = 10_000
	}
	if c.FirstFrameTimeout == 0 {
		c.FirstFrameTimeout = 10 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 15 * time.Second
	}
	return c, nil
}
