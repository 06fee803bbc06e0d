package protocol

import (
	"fmt"
	"math"

	"github.com/vmihailenco/msgpack/v5"
)

// How is what a call asks for besides its result. The zero value is nothing.
type How struct {
	References bool     `json:"refs,omitempty"`  // the arguments hold references to be resolved
	Keep       bool     `json:"keep,omitempty"`  // later calls may refer to the result
	Fresh      bool     `json:"fresh,omitempty"` // what was read before does not do
	After      []uint32 `json:"after,omitempty"` // calls that have to succeed first
	Parts      uint32   `json:"parts,omitempty"` // how many parts of a streaming method are taken for now
}

func (h *How) isZero() bool {
	return !h.References && !h.Keep && !h.Fresh && len(h.After) == 0 && h.Parts == 0
}

// Note is what an edge tells of a reply. The zero value is nothing.
type Note struct {
	View bool `json:"view,omitempty"` // the conversation had asked the same before: nothing was done
}

var _ msgpack.CustomDecoder = (*How)(nil)

// DecodeMsgpack reads the map by hand: the library would cut integers to size.
func (h *How) DecodeMsgpack(dec *msgpack.Decoder) error {
	n, err := dec.DecodeMapLen()
	for range n {
		var key string
		if key, err = decodeText(dec); err != nil {
			break
		}
		if err = h.decode(key, dec); err != nil {
			return fmt.Errorf("%.20q: %w", key, err)
		}
	}
	return err
}

func (h *How) decode(key string, dec *msgpack.Decoder) (err error) {
	switch key {
	case "refs":
		h.References, err = decodeBool(dec)
	case "keep":
		h.Keep, err = decodeBool(dec)
	case "fresh":
		h.Fresh, err = decodeBool(dec)
	case "parts":
		h.Parts, err = decodeUint32(dec)
	case "after":
		var n int
		n, err = dec.DecodeArrayLen()
		for range n {
			id, wrong := decodeUint(dec, math.MaxUint32)
			if wrong != nil {
				return wrong
			}
			h.After = append(h.After, uint32(id))
		}
	default:
		err = dec.Skip() // a newer peer's
	}
	return err
}

func decodeBool(dec *msgpack.Decoder) (bool, error) {
	if err := present(dec); err != nil {
		return false, err
	}
	return dec.DecodeBool()
}
