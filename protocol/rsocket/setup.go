package rsocket

import (
	"fmt"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// Setup is what the dialling side declares about a connection.
type Setup struct {
	// KeepAlive is the time between two KEEPALIVE frames of the client. Default 20 s.
	KeepAlive time.Duration
	// Lifetime is the silence after which either side takes the other for dead.
	// Default 90 s. Any frame breaks the silence.
	Lifetime time.Duration
	// MetadataMIME and DataMIME name the formats of every payload's two parts.
	// Default "application/octet-stream". Printable ASCII, at most 255 bytes.
	MetadataMIME, DataMIME string
	// Payload is for the acceptor.
	Payload Payload

	// Lease and Resume report, to an acceptor, that the client honours leases and
	// that it can resume. A client declares them by its [Config].
	Lease, Resume bool
}

func (s Setup) withDefaults() (Setup, error) {
	if s.KeepAlive == 0 {
		s.KeepAlive = 20 * time.Second
	}
	if s.Lifetime == 0 {
		s.Lifetime = 90 * time.Second
	}
	const longest = frame.MaxCredit * time.Millisecond
	if s.KeepAlive < time.Millisecond || s.KeepAlive > longest || s.Lifetime < s.KeepAlive || s.Lifetime > longest {
		return s, fmt.Errorf("rsocket: keepalive %v and lifetime %v: expected 1 ms ≤ keepalive ≤ lifetime ≤ %v", s.KeepAlive, s.Lifetime, longest)
	}
	for _, m := range []*string{&s.MetadataMIME, &s.DataMIME} {
		if *m == "" {
			*m = "application/octet-stream"
		}
		if len(*m) > 255 {
			return s, fmt.Errorf("rsocket: MIME type of %d bytes, expected at most 255", len(*m))
		}
	}
	return s, nil
}

// checkFirst says why a connection can't begin with f, or nil if it can.
func (c Config) checkFirst(f *frame.Frame) *Error {
	refuse := func(code Code, format string, args ...any) *Error {
		return &Error{Code: code, Message: fmt.Sprintf(format, args...), Conn: true}
	}
	switch {
	case f.Type == frame.TypeResume && f.StreamID == 0 && c.ResumeFor <= 0:
		return refuse(frame.CodeRejectedResume, "resumption is not supported")
	case f.Type == frame.TypeResume && f.StreamID == 0:
		return nil
	case f.Type != frame.TypeSetup || f.StreamID != 0:
		return refuse(frame.CodeInvalidSetup, "the first frame is %s on stream %d, expected SETUP on stream 0", f.Type, f.StreamID)
	case f.Setup.Version>>16 != frame.Version1>>16:
		return refuse(frame.CodeUnsupportedSetup, "RSocket version %d.%d, expected 1.x", f.Setup.Version>>16, f.Setup.Version&0xFFFF)
	case f.Has(frame.FlagResume) && c.ResumeFor <= 0:
		return refuse(frame.CodeUnsupportedSetup, "resumption is not supported")
	case f.Has(frame.FlagResume) && len(f.Setup.Token) == 0:
		return refuse(frame.CodeInvalidSetup, "the resume token is empty")
	case f.Has(frame.FlagLease) && c.LeaseRequests <= 0:
		return refuse(frame.CodeUnsupportedSetup, "leases are not supported")
	}
	return nil
}
