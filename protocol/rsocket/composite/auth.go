package composite

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The types of authentication that the extension "Well-known Authentication
// Types" lists.
const (
	Simple = "simple" // a user name and a password
	Bearer = "bearer" // a token
)

// Their ids with the bit that says so.
const simpleByte, bearerByte = 0x80, 0x81

var authNames = [...]string{simpleByte &^ known: Simple, bearerByte &^ known: Bearer}

func authName(id byte) (string, bool) {
	if int(id) >= len(authNames) {
		return "", false
	}
	return authNames[id], true
}

// Auth is authentication metadata: credentials, in clear.
//
//	name of the type, payload:
//	  simple: length of the user name (16), user name, password
//	  bearer: token
//	  any other: as that type defines
//
// The byte slices are views of what was parsed.
type Auth struct {
	Type               string // [Simple], [Bearer], a custom one, or "0x05" and the like where the id is reserved
	Username, Password []byte // of simple
	Token              []byte // of bearer
	Payload            []byte // of any other type
}

// ParseAuth parses the data of an entry with the MIME type [Authentication].
func ParseAuth(data []byte) (Auth, error) {
	name, n, err := parseName(data, authName)
	if err != nil {
		return Auth{}, fmt.Errorf("authentication metadata: %w", err)
	}
	a, payload := Auth{Type: name}, data[n:len(data):len(data)]
	switch name {
	case Bearer:
		a.Token = payload
	case Simple:
		if len(payload) < 2 {
			return Auth{}, fmt.Errorf("authentication metadata, byte %d: %d bytes where the length of the user name takes 2", n, len(payload))
		}
		size := int(binary.BigEndian.Uint16(payload))
		if payload = payload[2:]; size > len(payload) {
			return Auth{}, fmt.Errorf("authentication metadata, byte %d: a user name of %d bytes in the %d that are left", n+2, size, len(payload))
		}
		a.Username, a.Password = payload[:size:size], payload[size:]
	default:
		a.Payload = payload
	}
	return a, nil
}

// AppendSimple appends an authentication entry with a user name of at most
// 65,535 bytes and a password. With an error nothing is appended.
func AppendSimple(dst []byte, username, password string) ([]byte, error) {
	return appendEntry(dst, authenticationID, func(dst []byte) ([]byte, error) {
		if len(username) > math.MaxUint16 {
			return nil, fmt.Errorf("the user name is %d bytes, expected at most %d", len(username), math.MaxUint16)
		}
		dst = binary.BigEndian.AppendUint16(append(dst, simpleByte), uint16(len(username)))
		return append(append(dst, username...), password...), nil
	})
}

// AppendBearer appends an authentication entry with a token. With an error, of
// one too long for an entry, nothing is appended.
func AppendBearer(dst []byte, token string) ([]byte, error) {
	return appendEntry(dst, authenticationID, func(dst []byte) ([]byte, error) {
		return append(append(dst, bearerByte), token...), nil
	})
}

// AppendAuth appends an authentication entry of a custom type: 1 to 128 bytes of
// printable ASCII. With an error nothing is appended.
func AppendAuth(dst []byte, kind string, payload []byte) ([]byte, error) {
	return appendEntry(dst, authenticationID, func(dst []byte) ([]byte, error) {
		if kind == Simple || kind == Bearer {
			return nil, fmt.Errorf("the type %s is not a custom one: expected AppendSimple or AppendBearer", kind)
		}
		dst, err := appendName(dst, kind, 0, false)
		return append(dst, payload...), err
	})
}
