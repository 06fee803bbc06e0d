package rsocket

// Payload is what one request, reply or item carries: two opaque byte strings.
//
// Metadata that is nil is absent, which RSocket tells from empty. A payload that
// the engine hands out belongs to the receiver. One that is handed to the engine
// is the caller's again when the call returns: it has been copied or, where a
// socket takes 64 KiB and more of data from where they stand, written.
type Payload struct {
	Metadata []byte
	Data     []byte
}

// own copies views of a read buffer into one allocation that the application may keep.
func own(metadata, data []byte) Payload {
	b := make([]byte, len(metadata)+len(data))
	n := copy(b, metadata)
	copy(b[n:], data)
	p := Payload{Data: b[n:]}
	if metadata != nil {
		p.Metadata = b[:n:n]
	}
	return p
}

func (p Payload) size() int { return len(p.Metadata) + len(p.Data) }
