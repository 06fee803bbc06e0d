package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Type is a frame's type, six bits on the wire (specification, "Frame Types").
type Type uint8

// The frame types of RSocket 1.0. The layouts are those of the specification's
// section of the same name; each begins behind the six-byte header.
const (
	// TypeSetup opens a connection; see [Setup] for its layout. Stream 0.
	TypeSetup Type = 0x01
	// TypeLease grants requests for a time: time to live (4, ms), number of
	// requests (4), metadata. Stream 0.
	TypeLease Type = 0x02
	// TypeKeepAlive shows that the sender lives: last received position (8),
	// data. Stream 0.
	TypeKeepAlive Type = 0x03
	// TypeRequestResponse asks for one payload: [metadata], data.
	TypeRequestResponse Type = 0x04
	// TypeRequestFNF asks for nothing back: [metadata], data.
	TypeRequestFNF Type = 0x05
	// TypeRequestStream asks for many: initial credit (4, > 0), [metadata], data.
	TypeRequestStream Type = 0x06
	// TypeRequestChannel opens both directions: initial credit (4, > 0), [metadata], data.
	TypeRequestChannel Type = 0x07
	// TypeRequestN grants credit: n (4, > 0).
	TypeRequestN Type = 0x08
	// TypeCancel ends what the receiver sends on the stream; it has no body.
	TypeCancel Type = 0x09
	// TypePayload carries an item, an end, or both: [metadata], data.
	TypePayload Type = 0x0A
	// TypeError ends a stream, or on stream 0 the connection: code (4), data (UTF-8).
	TypeError Type = 0x0B
	// TypeMetadataPush carries metadata for the connection: metadata, to the end. Stream 0.
	TypeMetadataPush Type = 0x0C
	// TypeResume asks to go on with an earlier connection; see [Resume]. Stream 0.
	TypeResume Type = 0x0D
	// TypeResumeOK answers it: last received client position (8). Stream 0.
	TypeResumeOK Type = 0x0E
	// TypeExt is reserved for extensions.
	TypeExt Type = 0x3F
)

var typeNames = [64]string{
	TypeSetup: "SETUP", TypeLease: "LEASE", TypeKeepAlive: "KEEPALIVE",
	TypeRequestResponse: "REQUEST_RESPONSE", TypeRequestFNF: "REQUEST_FNF",
	TypeRequestStream: "REQUEST_STREAM", TypeRequestChannel: "REQUEST_CHANNEL",
	TypeRequestN: "REQUEST_N", TypeCancel: "CANCEL", TypePayload: "PAYLOAD",
	TypeError: "ERROR", TypeMetadataPush: "METADATA_PUSH", TypeResume: "RESUME",
	TypeResumeOK: "RESUME_OK", TypeExt: "EXT",
}

// String is the specification's name for the type, or its number.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("type 0x%02X", uint8(t))
}

// Known reports whether RSocket 1.0 defines the type.
func (t Type) Known() bool { return int(t) < len(typeNames) && typeNames[t] != "" && t != TypeExt }

// Flags are a frame's ten flag bits. Several bits mean different things on
// different types, as the specification has it.
type Flags uint16

// The flags, with the types they have a meaning on.
const (
	// FlagIgnore: a receiver that does not know the type skips the frame.
	FlagIgnore Flags = 0x200
	// FlagMetadata: metadata is there, even if empty.
	FlagMetadata Flags = 0x100
	// FlagFollows: more fragments come (requests and PAYLOAD).
	FlagFollows Flags = 0x80
	// FlagResume: the client can resume and sent a token (SETUP).
	FlagResume Flags = 0x80
	// FlagRespond: the receiver is to answer (KEEPALIVE).
	FlagRespond Flags = 0x80
	// FlagComplete: the sender's half ends (REQUEST_CHANNEL, PAYLOAD).
	FlagComplete Flags = 0x40
	// FlagLease: the client honours leases (SETUP).
	FlagLease Flags = 0x40
	// FlagNext: there is an item (PAYLOAD).
	FlagNext Flags = 0x20
)

// HeaderSize is the length of what every frame begins with, in bytes.
const HeaderSize = 6

// MaxSize is the longest frame that TCP's 24-bit length prefix can announce, in bytes.
const MaxSize = 1<<24 - 1

// MaxCredit is the largest credit one frame can grant.
const MaxCredit = math.MaxInt32

// Frame is one parsed frame. Which fields mean something depends on Type; the
// others are zero.
type Frame struct {
	StreamID uint32
	Type     Type
	Flags    Flags

	// Metadata is nil if the frame carries none, and empty but not nil if it
	// carries empty metadata. Requests, PAYLOAD, METADATA_PUSH, LEASE, SETUP.
	Metadata []byte
	// Data is the rest of the frame; never nil for types that carry data.
	Data []byte

	N        uint32    // credit: REQUEST_STREAM, REQUEST_CHANNEL, REQUEST_N; requests granted: LEASE
	TTL      uint32    // LEASE, milliseconds
	Position uint64    // KEEPALIVE, RESUME_OK
	Code     ErrorCode // ERROR
	Setup    *Setup    // SETUP
	Resume   *Resume   // RESUME
}

// Has reports whether all bits of f are set.
func (fr *Frame) Has(f Flags) bool { return fr.Flags&f == f }

// FormatError says what is wrong with the bytes of a frame.
type FormatError struct {
	Type   Type
	Reason string
}

// Error names the frame type and what is wrong with it.
func (e *FormatError) Error() string { return e.Type.String() + " frame: " + e.Reason }

func formatErr(t Type, format string, args ...any) error {
	return &FormatError{Type: t, Reason: fmt.Sprintf(format, args...)}
}

// Parse reads one frame. The result's slices are views of b.
//
// A frame of an unknown type parses with its header only, so that the caller
// can honour [FlagIgnore]. Any other error is a *[FormatError].
func Parse(b []byte) (Frame, error) {
	if len(b) < HeaderSize {
		return Frame{}, &FormatError{Reason: fmt.Sprintf("%d bytes where the header alone takes %d", len(b), HeaderSize)}
	}
	id := binary.BigEndian.Uint32(b)
	tf := binary.BigEndian.Uint16(b[4:])
	f := Frame{StreamID: id & math.MaxInt32, Type: Type(tf >> 10), Flags: Flags(tf & 0x3FF)}
	if id > math.MaxInt32 {
		return f, formatErr(f.Type, "the first bit of the stream id is set")
	}
	body := b[HeaderSize:]
	var err error
	switch f.Type {
	case TypeRequestResponse, TypeRequestFNF, TypePayload:
		err = f.parsePayload(body)
	case TypeRequestStream, TypeRequestChannel:
		if f.N, body, err = positive(f.Type, "initial request n", body); err == nil {
			err = f.parsePayload(body)
		}
	case TypeRequestN:
		f.N, _, err = positive(f.Type, "request n", body)
	case TypeCancel:
	case TypeError:
		if len(body) < 4 {
			return f, formatErr(f.Type, "%d bytes of body where the code takes 4", len(body))
		}
		f.Code, f.Data = ErrorCode(binary.BigEndian.Uint32(body)), body[4:]
	case TypeKeepAlive:
		if len(body) < 8 {
			return f, formatErr(f.Type, "%d bytes of body where the position takes 8", len(body))
		}
		f.Position, f.Data = binary.BigEndian.Uint64(body), body[8:]
		if f.Position > math.MaxInt64 {
			return f, formatErr(f.Type, "the first bit of the position is set")
		}
	case TypeMetadataPush:
		f.Metadata = body // whatever the flag says: it can't be anything else, and rsocket-js 0.0.27 leaves it out
	case TypeLease:
		err = f.parseLease(body)
	case TypeSetup:
		f.Setup, err = f.parseSetup(body)
	case TypeResumeOK:
		if len(body) < 8 {
			return f, formatErr(f.Type, "%d bytes of body where the position takes 8", len(body))
		}
		if f.Position = binary.BigEndian.Uint64(body); f.Position > math.MaxInt64 {
			return f, formatErr(f.Type, "the first bit of the position is set")
		}
	case TypeResume:
		f.Resume, err = f.parseResume(body)
	}
	return f, err
}

// parsePayload splits [metadata length (3), metadata,] data.
func (fr *Frame) parsePayload(body []byte) error {
	if !fr.Has(FlagMetadata) {
		fr.Data = body
		return nil
	}
	if len(body) < 3 {
		return formatErr(fr.Type, "%d bytes of body where the metadata length takes 3", len(body))
	}
	n := int(body[0])<<16 | int(body[1])<<8 | int(body[2])
	body = body[3:]
	if n > len(body) {
		return formatErr(fr.Type, "metadata length %d runs past the %d bytes that are left", n, len(body))
	}
	// Full slice expressions: appending to one part must never reach the next.
	fr.Metadata, fr.Data = body[:n:n], body[n:]
	return nil
}

func (fr *Frame) parseLease(body []byte) error {
	if len(body) < 8 {
		return formatErr(fr.Type, "%d bytes of body where time and number take 8", len(body))
	}
	fr.TTL, fr.N = binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if fr.TTL > math.MaxInt32 || fr.N > math.MaxInt32 {
		return formatErr(fr.Type, "time %d and number %d must be below 2^31", fr.TTL, fr.N)
	}
	if fr.Has(FlagMetadata) {
		fr.Metadata = body[8:]
	}
	return nil
}

// positive reads a 31-bit number that has to be greater than zero.
func positive(t Type, name string, body []byte) (n uint32, rest []byte, err error) {
	if len(body) < 4 {
		return 0, nil, formatErr(t, "%d bytes of body where %s takes 4", len(body), name)
	}
	n = binary.BigEndian.Uint32(body)
	if n == 0 || n > math.MaxInt32 {
		return 0, nil, formatErr(t, "%s is %d, expected 1 to 2^31-1", name, n)
	}
	return n, body[4:], nil
}
