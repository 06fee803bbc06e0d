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

// WithDefaults returns a copy with every zero replaced, or what is wrong with it.
// [Dial] and [Client] do it by themselves.
func (s Setup) WithDefaults() (Setup, error) {
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

// SetupOf is what a SETUP frame declares. Its payload is a copy.
func SetupOf(f *frame.Frame) Setup {
	return Setup{
		KeepAlive: f.Setup.KeepAlive, Lifetime: f.Setup.Lifetime,
		MetadataMIME: f.Setup.MetadataMIME, DataMIME: f.Setup.DataMIME,
		Payload: Payload{Metadata: f.Metadata, Data: f.Data}.Clone(),
		Lease:   f.Has(frame.FlagLease), Resume: f.Has(frame.FlagResume),
	}
}

// ParseFirst takes apart the first frame of a connection that is accepted: a
// SETUP that asks for nothing which c does not offer, or a RESUME, if c has
// ResumeFor. Its byte slices are views of b. An error is an [*Error] for the peer.
func (c Config) ParseFirst(b []byte) (frame.Frame, error) {
	f, err := frame.Parse(b)
	refuse := func(code Code, format string, args ...any) (frame.Frame, error) {
		return f, &Error{Code: code, Message: fmt.Sprintf(format, args...), Conn: true}
	}
	isResume := f.Type == frame.TypeResume && f.StreamID == 0
	switch {
	case isResume && c.ResumeFor <= 0:
		return refuse(frame.CodeRejectedResume, "resumption is not supported")
	case isResume && err != nil:
		return refuse(frame.CodeRejectedResume, "%v", err)
	case err != nil:
		return refuse(frame.CodeInvalidSetup, "%v", err)
	case isResume:
		return f, nil
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
	return f, nil
}
