package frame

import (
	"encoding/binary"
	"math"
	"time"
)

// Version1 is the protocol version that this package speaks: major 1, minor 0.
const Version1 = 1 << 16

// Setup is the part of a SETUP frame that only SETUP has (specification, "SETUP
// Frame"); its payload is in the [Frame].
//
//	major (2) minor (2) | keepalive interval (4, ms, > 0) | max lifetime (4, ms, > 0)
//	[resume token length (2) token]
//	metadata MIME length (1) MIME (ASCII) | data MIME length (1) MIME (ASCII)
//	[metadata length (3) metadata] data
type Setup struct {
	Version      uint32        // major<<16 | minor
	KeepAlive    time.Duration // between two KEEPALIVE frames of the client; whole milliseconds
	Lifetime     time.Duration // silence after which the peer counts as dead; whole milliseconds
	Token        []byte        // with FlagResume only
	MetadataMIME string
	DataMIME     string
}

func (fr *Frame) parseSetup(body []byte) (*Setup, error) {
	const fixed = 12
	if len(body) < fixed {
		return nil, formatErr(fr.Type, "%d bytes of body where version and times take %d", len(body), fixed)
	}
	s := &Setup{Version: binary.BigEndian.Uint32(body)}
	interval, lifetime := binary.BigEndian.Uint32(body[4:]), binary.BigEndian.Uint32(body[8:])
	if s.Version>>16 != Version1>>16 {
		// Nothing behind the version can be relied on: the connection refuses it by the version.
		return s, nil
	}
	if interval == 0 || interval > math.MaxInt32 || lifetime == 0 || lifetime > math.MaxInt32 {
		return nil, formatErr(fr.Type, "keepalive interval %d ms and lifetime %d ms must be 1 to 2^31-1", interval, lifetime)
	}
	s.KeepAlive = time.Duration(interval) * time.Millisecond
	s.Lifetime = time.Duration(lifetime) * time.Millisecond
	body = body[fixed:]
	var err error
	if fr.Has(FlagResume) {
		if len(body) < 2 || len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return nil, formatErr(fr.Type, "the resume token runs past the %d bytes that are left", len(body))
		}
		n := int(binary.BigEndian.Uint16(body))
		s.Token, body = body[2:2+n:2+n], body[2+n:]
	}
	if s.MetadataMIME, body, err = mime(fr.Type, "metadata MIME type", body); err != nil {
		return nil, err
	}
	if s.DataMIME, body, err = mime(fr.Type, "data MIME type", body); err != nil {
		return nil, err
	}
	return s, fr.parsePayload(body)
}

func mime(t Type, name string, body []byte) (string, []byte, error) {
	if len(body) < 1 || len(body)-1 < int(body[0]) {
		return "", nil, formatErr(t, "the %s runs past the %d bytes that are left", name, len(body))
	}
	n := int(body[0])
	for _, c := range body[1 : 1+n] {
		if c < 0x20 || c > 0x7E {
			return "", nil, formatErr(t, "the %s holds byte 0x%02X, expected printable ASCII", name, c)
		}
	}
	return string(body[1 : 1+n]), body[1+n:], nil
}

// AppendSetup appends a SETUP frame of version 1.0. Times are sent in whole
// milliseconds and must be at least one; MIME types must be ASCII of at most
// 255 bytes.
func AppendSetup(dst []byte, s Setup, flags Flags, metadata, data []byte) []byte {
	flags &^= FlagMetadata | FlagResume
	if metadata != nil {
		flags |= FlagMetadata
	}
	if s.Token != nil {
		flags |= FlagResume
	}
	dst = appendHeader(dst, 0, TypeSetup, flags)
	dst = binary.BigEndian.AppendUint32(dst, Version1)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.KeepAlive.Milliseconds()))
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.Lifetime.Milliseconds()))
	if s.Token != nil {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(s.Token)))
		dst = append(dst, s.Token...)
	}
	dst = append(append(dst, byte(len(s.MetadataMIME))), s.MetadataMIME...)
	dst = append(append(dst, byte(len(s.DataMIME))), s.DataMIME...)
	return appendBody(dst, metadata, data)
}
