package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"warmline.dev/protocol/rsocket/composite"
)

// The MIME types of Warmline's own entries in composite metadata.
const (
	// MIMEPassport is a sealed passport; see package passport.
	MIMEPassport = "application/vnd.warmline.passport"
	// MIMETraceparent is a W3C traceparent, as its header has it.
	MIMETraceparent = "application/vnd.warmline.traceparent"
	// MIMEWelcome is, in a METADATA_PUSH, a [Welcome] that replaces the one before, in
	// the codec of the line.
	MIMEWelcome = "application/vnd.warmline.welcome"
	// MIMERefusal is, in a METADATA_PUSH, why the line is being closed: a [Refusal]
	// as JSON.
	MIMERefusal = "application/vnd.warmline.refusal"
	// MIMEBudget is the time left, in milliseconds, 4 bytes big-endian.
	MIMEBudget = "application/vnd.warmline.budget"
)

// Metadata is what travels with a request, and with an answer that changed the
// passport.
type Metadata struct {
	Route       string        // "" is absent
	Passport    []byte        // sealed; empty is absent
	Traceparent string        // "" is absent
	Budget      time.Duration // time left; 0 is none stated; sent in whole milliseconds, at least one
}

// Append appends the metadata as composite metadata.
func (m *Metadata) Append(dst []byte) []byte {
	const around = 4 * 64 // more than stands around the values of all four
	dst = slices.Grow(dst, around+len(m.Route)+len(m.Passport)+len(m.Traceparent))
	if m.Route != "" {
		dst = composite.AppendRoute(dst, m.Route)
	}
	if len(m.Passport) > 0 {
		dst = composite.Append(dst, MIMEPassport, m.Passport)
	}
	if m.Traceparent != "" {
		dst = composite.Append(dst, MIMETraceparent, []byte(m.Traceparent))
	}
	if m.Budget > 0 {
		ms := min(max(m.Budget.Milliseconds(), 1), math.MaxUint32)
		dst = composite.Append(dst, MIMEBudget, binary.BigEndian.AppendUint32(nil, uint32(ms)))
	}
	return dst
}

// ParseMetadata reads composite metadata. Entries of other types are passed
// over; of two entries of one type the first counts. Passport is a view of b. An
// error wraps [ErrMalformed].
func ParseMetadata(b []byte) (Metadata, error) {
	var m Metadata
	for e, err := range composite.All(b) {
		if err == nil {
			err = m.take(e)
		}
		if err != nil {
			return m, fmt.Errorf("%w metadata: %w", ErrMalformed, err)
		}
	}
	return m, nil
}

func (m *Metadata) take(e composite.Entry) (err error) {
	switch e.MIME {
	case composite.Routing:
		if m.Route == "" {
			m.Route, err = composite.Route(e.Data)
		}
	case MIMEPassport:
		if m.Passport == nil {
			m.Passport = e.Data
		}
	case MIMETraceparent:
		if m.Traceparent == "" && ValidTraceparent(string(e.Data)) {
			m.Traceparent = string(e.Data) // one that is not valid is dropped, as W3C has it
		}
	case MIMEBudget:
		if len(e.Data) != 4 {
			return fmt.Errorf("a time budget of %d bytes, expected 4", len(e.Data))
		}
		if m.Budget == 0 {
			m.Budget = time.Duration(binary.BigEndian.Uint32(e.Data)) * time.Millisecond
		}
	}
	return err
}
