package protocol

import (
	"github.com/tinylib/msgp/msgp"
)

// Call is a message of [KindCall] without a [How], as it stands in the bytes that it
// came in: it is good for as long as they are not changed.
type Call struct {
	ID     uint32
	Method []byte
	Args   Raw
}

// Message is the call as a message, whose Value is good for as long as the call is.
func (c Call) Message() Message {
	return Message{Kind: KindCall, ID: c.ID, Method: string(c.Method), Value: c.Args}
}

func (msgpackCodec) NextCall(b []byte, most int) (c Call, rest []byte, ok bool) {
	kind, n, _, err := readHead(b)
	if err != nil || kind != KindCall || n != KindCall.size() {
		return c, nil, false
	}
	size, err := DefaultLimits.Walk(b)
	if err != nil || size > most {
		return c, nil, false
	}
	_, _, body, _ := readHead(b[:size:size])
	c, err = readCall(body)
	return c, b[size:], err == nil
}

// readCall reads the elements of a call behind the first, which have been walked.
func readCall(b []byte) (c Call, err error) {
	if c.ID, b, err = msgp.ReadUint32Bytes(b); err != nil {
		return c, err
	}
	c.Method, b, err = msgp.ReadStringZC(b)
	c.Args = b
	return c, err
}

// NextCall has no calls in JSON: reading it takes copies.
func (jsonCodec) NextCall([]byte, int) (Call, []byte, bool) { return Call{}, nil, false }
