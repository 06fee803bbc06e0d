package rsocketgo

import (
	"github.com/rsocket/rsocket-go/payload"

	"warmline.dev/protocol/rsocket"
)

func size(p rsocket.Payload) int { return len(p.Metadata) + len(p.Data) }

// lend copies a payload for the library, which writes it later.
func lend(p rsocket.Payload) payload.Payload {
	p = p.Clone()
	return payload.New(p.Data, p.Metadata)
}

// keep copies a payload of the library's, which is the library's again when the
// callback returns.
func keep(p payload.Payload) rsocket.Payload {
	metadata, present := p.Metadata()
	if present && metadata == nil {
		metadata = []byte{}
	}
	return rsocket.Payload{Metadata: metadata, Data: p.Data()}.Clone()
}
