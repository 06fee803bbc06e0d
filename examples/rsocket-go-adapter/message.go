package main

import (
	"bytes"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// The kinds of message in a conversation. A payload holds one message or
// several behind each other, each a msgpack array that begins with its kind.
const (
	kindCall     = 1 // [1, id, "service.method", arguments]
	kindCancel   = 2 // [2, id]
	kindReply    = 3 // [3, id, result]
	kindFailure  = 4 // [4, id, "code", "message", retry]
	kindPassport = 6 // [6, sealed passport]
)

// message is one that an edge sends. Which fields mean something depends on kind.
type message struct {
	kind     uint8
	id       uint32
	result   msgpack.RawMessage
	failure  *failure
	passport []byte
}

// appendMessage appends a message that an adapter sends.
func appendMessage(dst []byte, elements ...any) ([]byte, error) {
	b, err := msgpack.Marshal(elements)
	return append(dst, b...), err
}

// nextMessage takes the first message from b.
func nextMessage(b []byte) (m message, rest []byte, err error) {
	n, err := measure(b)
	if err != nil {
		return m, nil, err
	}
	dec := msgpack.NewDecoder(bytes.NewReader(b[:n]))
	if _, err = dec.DecodeArrayLen(); err == nil {
		m.kind, err = dec.DecodeUint8()
	}
	if err == nil {
		err = m.decode(dec)
	}
	if err != nil {
		err = fmt.Errorf("a message that is none: %w", err)
	}
	return m, b[n:], err
}

// decode reads what is behind the kind; one that is not known is passed over.
func (m *message) decode(dec *msgpack.Decoder) (err error) {
	if m.kind == kindPassport {
		m.passport, err = dec.DecodeBytes()
		return err
	}
	if m.kind != kindReply && m.kind != kindFailure {
		return nil
	}
	if m.id, err = dec.DecodeUint32(); err != nil {
		return err
	}
	if m.kind == kindReply {
		m.result, err = dec.DecodeRaw()
		return err
	}
	m.failure = &failure{}
	if m.failure.code, err = dec.DecodeString(); err != nil {
		return err
	}
	m.failure.message, err = dec.DecodeString()
	return err
}
