package rsocketgo

import (
	"github.com/rsocket/rsocket-go/payload"

	"warmline.dev/protocol/rsocket"
)

func size(p rsocket.Payload) int { return len(p.Metadata) + len(p.Data) }

// lend copies a payload for the library, which writes it later.
func lend(p rsocket.Payload) payload.Payload {
	p = own(p.Metadata, p.Data)
	return payload.New(p.Data, p.Metadata)
}

// keep copies a payload of the library's, which is the library's again when the
// callback returns.
func keep(p payload.Payload) rsocket.Payload {
	metadata, present := p.Metadata()
	if present && metadata == nil {
		metadata = []byte{}
	}
	return own(metadata, p.Data())
}

// own copies both parts into one allocation.
func own(metadata, data []byte) rsocket.Payload {
	b := make([]byte, len(metadata)+len(data))
	n := copy(b, metadata)
	copy(b[n:], data)
	p := rsocket.Payload{Data: b[n:]}
	if metadata != nil {
		p.Metadata = b[:n:n]
	}
	return p
}
