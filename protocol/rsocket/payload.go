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

// Clone returns a copy, both parts in one allocation. Metadata that is absent
// stays so.
func (p Payload) Clone() Payload {
	b := make([]byte, p.size())
	n := copy(b, p.Metadata)
	copy(b[n:], p.Data)
	c := Payload{Data: b[n:]}
	if p.Metadata != nil {
		c.Metadata = b[:n:n]
	}
	return c
}

func (p Payload) size() int { return len(p.Metadata) + len(p.Data) }
