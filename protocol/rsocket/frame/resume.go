package frame

import (
	"encoding/binary"
	"math"
)

// Resume is the body of a RESUME frame (specification, "RESUME Frame").
//
//	major (2) minor (2) | token length (2) token
//	last received server position (8) | first available client position (8)
type Resume struct {
	Version        uint32 // major<<16 | minor
	Token          []byte // a view of the frame
	ServerPosition uint64 // up to where the client has received
	ClientPosition uint64 // from where on the client can send again
}

func (fr *Frame) parseResume(body []byte) (*Resume, error) {
	if len(body) < 6 {
		return nil, formatErr(fr.Type, "%d bytes of body where version and token length take 6", len(body))
	}
	r := &Resume{Version: binary.BigEndian.Uint32(body)}
	n := int(binary.BigEndian.Uint16(body[4:]))
	if body = body[6:]; len(body) < n+16 {
		return nil, formatErr(fr.Type, "a token of %d bytes and two positions in the %d bytes that are left", n, len(body))
	}
	r.Token, body = body[:n:n], body[n:]
	r.ServerPosition, r.ClientPosition = binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:])
	if r.ServerPosition > math.MaxInt64 || r.ClientPosition > math.MaxInt64 {
		return nil, formatErr(fr.Type, "the first bit of a position is set")
	}
	return r, nil
}

// AppendResume appends a RESUME frame of version 1.0 with a token of at most
// 65,535 bytes.
func AppendResume(dst []byte, r Resume) []byte {
	dst = appendHeader(dst, 0, TypeResume, 0)
	dst = binary.BigEndian.AppendUint32(dst, Version1)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.Token)))
	dst = append(dst, r.Token...)
	dst = binary.BigEndian.AppendUint64(dst, r.ServerPosition)
	return binary.BigEndian.AppendUint64(dst, r.ClientPosition)
}

// AppendResumeOK appends a RESUME_OK frame: up to where the server has received.
func AppendResumeOK(dst []byte, position uint64) []byte {
	return binary.BigEndian.AppendUint64(appendHeader(dst, 0, TypeResumeOK, 0), position)
}

// Resumable reports whether a frame counts towards positions and is sent again
// after a connection was lost (specification, "Implied Position").
func Resumable(id uint32, t Type) bool {
	switch t {
	case TypeRequestResponse, TypeRequestFNF, TypeRequestStream, TypeRequestChannel,
		TypeRequestN, TypeCancel, TypePayload, TypeError:
		return id != 0
	}
	return false
}
