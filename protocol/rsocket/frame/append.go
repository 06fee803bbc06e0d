package frame

import "encoding/binary"

func appendHeader(dst []byte, id uint32, t Type, flags Flags) []byte {
	dst = binary.BigEndian.AppendUint32(dst, id)
	return binary.BigEndian.AppendUint16(dst, uint16(t)<<10|uint16(flags))
}

func appendBody(dst, metadata, data []byte) []byte {
	if metadata != nil {
		n := len(metadata)
		dst = append(dst, byte(n>>16), byte(n>>8), byte(n))
		dst = append(dst, metadata...)
	}
	return append(dst, data...)
}

func withMetadata(flags Flags, metadata []byte) Flags {
	if metadata != nil {
		return flags | FlagMetadata
	}
	return flags &^ FlagMetadata
}

// PayloadSize is the length of the longest frame the payload can travel in, in
// bytes: a caller compares it with the limit before it appends.
func PayloadSize(metadata, data []byte) int {
	return HeaderSize + 4 + 3 + len(metadata) + len(data)
}

// AppendRequest appends a REQUEST_RESPONSE or REQUEST_FNF frame. Metadata that
// is nil is left out; the metadata flag follows from it.
func AppendRequest(dst []byte, id uint32, t Type, flags Flags, metadata, data []byte) []byte {
	return appendBody(appendHeader(dst, id, t, withMetadata(flags, metadata)), metadata, data)
}

// AppendRequestMany appends a REQUEST_STREAM or REQUEST_CHANNEL frame with its
// initial credit n, 1 to [MaxCredit].
func AppendRequestMany(dst []byte, id uint32, t Type, flags Flags, n uint32, metadata, data []byte) []byte {
	dst = appendHeader(dst, id, t, withMetadata(flags, metadata))
	return appendBody(binary.BigEndian.AppendUint32(dst, n), metadata, data)
}

// AppendPayload appends a PAYLOAD frame; flags say Next, Complete or both.
func AppendPayload(dst []byte, id uint32, flags Flags, metadata, data []byte) []byte {
	return appendBody(appendHeader(dst, id, TypePayload, withMetadata(flags, metadata)), metadata, data)
}

// AppendRequestN appends a REQUEST_N frame that grants n, 1 to [MaxCredit].
func AppendRequestN(dst []byte, id, n uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(dst, id, TypeRequestN, 0), n)
}

// AppendCancel appends a CANCEL frame.
func AppendCancel(dst []byte, id uint32) []byte {
	return appendHeader(dst, id, TypeCancel, 0)
}

// AppendError appends an ERROR frame; id 0 ends the connection. Data is for
// people and should be UTF-8.
func AppendError(dst []byte, id uint32, code ErrorCode, data string) []byte {
	dst = binary.BigEndian.AppendUint32(appendHeader(dst, id, TypeError, 0), uint32(code))
	return append(dst, data...)
}

// AppendKeepAlive appends a KEEPALIVE frame. The answer to one that asks for it
// clears respond and echoes its data.
func AppendKeepAlive(dst []byte, respond bool, position uint64, data []byte) []byte {
	var flags Flags
	if respond {
		flags = FlagRespond
	}
	dst = binary.BigEndian.AppendUint64(appendHeader(dst, 0, TypeKeepAlive, flags), position)
	return append(dst, data...)
}

// AppendMetadataPush appends a METADATA_PUSH frame.
func AppendMetadataPush(dst, metadata []byte) []byte {
	return append(appendHeader(dst, 0, TypeMetadataPush, FlagMetadata), metadata...)
}

// AppendLease appends a LEASE frame: so many requests, 1 to [MaxCredit], within
// so many milliseconds, 1 to [MaxCredit].
func AppendLease(dst []byte, ttl, n uint32) []byte {
	dst = binary.BigEndian.AppendUint32(appendHeader(dst, 0, TypeLease, 0), ttl)
	return binary.BigEndian.AppendUint32(dst, n)
}
