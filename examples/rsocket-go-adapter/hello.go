package main

import "encoding/json"

// protocolRange is the range of the Warmline protocol that this adapter speaks.
const protocolRange = "^1.0"

// The MIME types that SETUP names: of every payload's data, and of its metadata.
const (
	mimeMsgPack   = "application/vnd.msgpack"
	mimeComposite = "message/x.rsocket.composite-metadata.v0"
)

// hello is the data of SETUP: who dials, and what it wants of an edge or offers
// to a gateway.
type hello struct {
	Name     string            `msgpack:"name"`
	Version  string            `msgpack:"version"`
	Protocol string            `msgpack:"protocol"`
	Wants    map[string]string `msgpack:"wants,omitempty"`  // service to range
	Offers   map[string]string `msgpack:"offers,omitempty"` // adapter to version
}

// welcome is the answer to the route warmline.setup: what was agreed. RSocket
// itself has no answer to a SETUP that is accepted.
type welcome struct {
	Name     string            `msgpack:"name"`
	Version  string            `msgpack:"version"`
	Resolved map[string]string `msgpack:"resolved"` // service to version
}

// refusal reads the data of ERROR[REJECTED_SETUP], JSON whatever the line
// speaks, down to what people want to know: which want nothing satisfies, and
// what is offered instead. Data that is not JSON is shown as it is.
func refusal(data []byte) string {
	var r struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &r) != nil || r.Message == "" {
		return string(data)
	}
	return r.Message
}
