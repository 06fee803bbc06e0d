package rsocket

// Payload is what one request, reply or item carries: two opaque byte strings.
//
// Metadata that is nil is absent, which RSocket tells from empty. A payload that
// the engine hands out belongs to the receiver; one that is handed to the engine
// has been copied when the call returns.
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
