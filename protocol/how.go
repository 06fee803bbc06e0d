package protocol

import (
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"
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

// appendMsgpack appends the map, by hand as the message is.
func (h *How) appendMsgpack(dst []byte) []byte {
	at, n := len(dst), byte(0)
	dst = msgp.AppendMapHeader(dst, 0)
	for _, flag := range []struct {
		key string
		set bool
	}{{"refs", h.References}, {"keep", h.Keep}, {"fresh", h.Fresh}} {
		if flag.set {
			dst = msgp.AppendBool(msgp.AppendString(dst, flag.key), true)
			n++
		}
	}
	if len(h.After) > 0 {
		dst = msgp.AppendArrayHeader(msgp.AppendString(dst, "after"), uint32(len(h.After)))
		for _, id := range h.After {
			dst = msgp.AppendUint32(dst, id)
		}
		n++
	}
	if h.Parts > 0 {
		dst = msgp.AppendUint32(msgp.AppendString(dst, "parts"), h.Parts)
		n++
	}
	dst[at] += n // the header of a small map
	return dst
}

// read reads a map that has been walked, without a decoder. It reports false for one
// that holds anything else than what is known.
func (h *How) read(b []byte) bool {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for range n {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			break
		}
		switch string(key) {
		case "refs":
			h.References, b, err = msgp.ReadBoolBytes(b)
		case "keep":
			h.Keep, b, err = msgp.ReadBoolBytes(b)
		case "fresh":
			h.Fresh, b, err = msgp.ReadBoolBytes(b)
		case "parts":
			h.Parts, b, err = msgp.ReadUint32Bytes(b)
		default: // a list, or a newer peer's
			return false
		}
		if err != nil {
			break
		}
	}
	return err == nil
}

// appendMsgpack appends the map.
func (n *Note) appendMsgpack(dst []byte) []byte {
	return msgp.AppendBool(msgp.AppendString(msgp.AppendMapHeader(dst, 1), "view"), n.View)
}

// read is [How.read] of a note.
func (n *Note) read(b []byte) bool {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil || size != 1 {
		return false
	}
	key, b, err := msgp.ReadStringZC(b)
	if err != nil || string(key) != "view" {
		return false
	}
	n.View, _, err = msgp.ReadBoolBytes(b)
	return err == nil
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
