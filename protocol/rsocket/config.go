package rsocket

import (
	"crypto/tls"
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

	// Fragment is the longest frame in which a part of a payload is sent: what is
	// longer goes in several, and payloads of other streams in between. At least 64
	// bytes. Default MaxFrame, but at most 16,777,212: rsocket-java 1.1.5 counts the
	// length prefix too, and drops longer ones without a word. Peers that can't put
	// fragments together (some can't) need it large.
	Fragment int

	// MaxPayload is the largest payload sent or taken, metadata and data together,
	// in bytes. Default 64 MiB. A local one that is larger is [ErrTooLarge]; a
	// peer's ends its stream with INVALID.
	MaxPayload int

	// MaxReassembly bounds the bytes of payloads that have arrived in part, over
	// all streams of the connection. Default 64 MiB. The stream that would pass it
	// ends with REJECTED.
	MaxReassembly int

	// MaxStreams bounds the peer's requests that are being answered at once.
	// Default 4,096; negative: none are taken. Beyond it the peer gets REJECTED,
	// which says that nothing was done. A request that the peer cancelled counts
	// until its handler has returned.
	MaxStreams int

	// Window is the credit a channel grants its peer: the items that may wait to
	// be taken with Recv. Default 32. A peer that sends more than it was granted
	// gets INVALID on that stream.
	Window int

	// MaxUnread bounds the bytes, over all streams of the connection, that arrived
	// and that this side is not done with: requests that are being answered, and
	// items of channels that were not taken with Recv yet, the first included.
	// Default 64 MiB. The request that would pass it gets REJECTED; the channel with
	// an item that would ends with CANCELED.
	MaxUnread int

	// MaxUnwritten bounds the bytes that wait for the socket. Default 1 MiB. At
	// the bound local senders wait; a peer that makes this side owe it twice as
	// much in answers the engine itself gives, and does not read, is disconnected.
	MaxUnwritten int

	// MaxConns bounds the connections that a server holds, those still being set
	// up included. Default 10,000. One more is closed as soon as it is accepted, or,
	// as far as there are connections that can be resumed, when its first frame is
	// not RESUME. As many again may be in the handshake of each WebSocket listener.
	MaxConns int

	// LeaseRequests and LeaseTTL let this side grant leases: so many requests for
	// so long, renewed by itself before the time is over. 0 requests, the default:
	// none, and a SETUP that asks for leases gets UNSUPPORTED_SETUP. A client that
	// sets them asks for leases and waits with its requests for those of the
	// server. LeaseTTL is at least 1 ms; its default is 30 s. A request without a
	// lease gets REJECTED.
	LeaseRequests int
	LeaseTTL      time.Duration

	// Leases, if set, says of each lease how many requests it is for: at least 1 is
	// granted, at most LeaseRequests. It must not wait.
	Leases func() int

	// ResumeFor is how long a connection whose carrier is lost waits for another,
	// with its streams as they are. Default 0: not at all. A client has to [Dial],
	// which it then does again by itself. A server without it refuses a SETUP that
	// asks for it with UNSUPPORTED_SETUP, and RESUME with REJECTED_RESUME.
	ResumeFor time.Duration

	// MaxRetained bounds the bytes of sent frames that are kept for a peer that may
	// have to be sent them again. Default 4 MiB. Beyond it the oldest are dropped,
	// and a peer that lacks them can't resume (REJECTED_RESUME); while there is no
	// carrier senders wait instead. It is used with ResumeFor only.
	MaxRetained int

	// FirstFrameTimeout is how long a server waits for SETUP, and for each of the
	// handshakes before it (TLS, WebSocket). Default 10 s; negative: for ever. Then
	// the peer gets INVALID_SETUP; in a handshake, it is disconnected.
	FirstFrameTimeout time.Duration

	// MaxLifetime is the longest silence that a server bears, whatever lifetime SETUP
	// declares: a peer has to send something more often, KEEPALIVE as a rule. Default
	// 10 minutes; negative: as SETUP says, which can be 24 days. Then the peer gets
	// CONNECTION_ERROR.
	MaxLifetime time.Duration

	// WriteTimeout is how long one write to the socket may take before the
	// connection counts as dead. Default 15 s; negative: for ever.
	WriteTimeout time.Duration

	// TLS is for [Dial] and [Connect] with a tls or wss address. Default: the
	// system's roots, the address's host as the name to verify, TLS 1.2 or newer. It
	// is copied, and of its zero fields those mentioned are filled in. Client
	// certificates go into its Certificates. A server takes none: see [ListenTLS].
	TLS *tls.Config
}

// WithDefaults returns a copy with every zero replaced, or what is wrong with it.
// [Dial], [Client] and [NewServer] do it by themselves. Called on what it returned,
// it changes nothing.
func (c Config) WithDefaults() (Config, error) {
	if c.MaxFrame == 0 {
		c.MaxFrame = frame.MaxSize
	}
	if c.MaxFrame < 64 || c.MaxFrame > frame.MaxSize {
		return c, fmt.Errorf("rsocket: MaxFrame is %d, expected 64 to %d bytes", c.MaxFrame, frame.MaxSize)
	}
	if c.Fragment == 0 {
		c.Fragment = min(c.MaxFrame, frame.MaxSize-prefixSize)
	}
	if c.Fragment < 64 || c.Fragment > c.MaxFrame {
		return c, fmt.Errorf("rsocket: Fragment is %d, expected 64 to MaxFrame, which is %d bytes", c.Fragment, c.MaxFrame)
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 4096
	}
	if c.Window == 0 {
		c.Window = 32
	}
	if c.Window < 1 || c.Window > frame.MaxCredit {
		return c, fmt.Errorf("rsocket: Window is %d, expected 1 to %d items", c.Window, frame.MaxCredit)
	}
	if c.LeaseTTL == 0 {
		c.LeaseTTL = 30 * time.Second
	}
	if c.LeaseRequests < 0 || c.LeaseRequests > frame.MaxCredit || c.LeaseTTL < time.Millisecond || c.LeaseTTL > frame.MaxCredit*time.Millisecond {
		return c, fmt.Errorf("rsocket: LeaseRequests is %d and LeaseTTL %v, expected 0 to %d requests and 1 ms to 596 h", c.LeaseRequests, c.LeaseTTL, frame.MaxCredit)
	}
	for _, f := range []struct {
		name   string
		value  *int
		normal int
	}{
		{"MaxPayload", &c.MaxPayload, 64 << 20},
		{"MaxReassembly", &c.MaxReassembly, 64 << 20},
		{"MaxUnread", &c.MaxUnread, 64 << 20},
		{"MaxUnwritten", &c.MaxUnwritten, 1 << 20},
		{"MaxRetained", &c.MaxRetained, 4 << 20},
		{"MaxConns", &c.MaxConns, 10_000},
	} {
		if *f.value < 0 {
			return c, fmt.Errorf("rsocket: %s is %d, expected a positive number", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.normal
		}
	}
	if c.FirstFrameTimeout == 0 {
		c.FirstFrameTimeout = 10 * time.Second
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = 10 * time.Minute
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 15 * time.Second
	}
	return c, nil
}

// LifetimeOf is how long a server bears the silence of a client that declared s.
// The Config has its defaults.
func (c Config) LifetimeOf(s Setup) time.Duration {
	if c.MaxLifetime < 0 {
		return s.Lifetime
	}
	return min(s.Lifetime, c.MaxLifetime)
}

// handshake bounds what a client waits for the answer to RESUME.
func (c Config) handshake() time.Duration {
	if c.FirstFrameTimeout > 0 {
		return c.FirstFrameTimeout
	}
	return 10 * time.Second
}
