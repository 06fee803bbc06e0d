package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Kind tells the messages of a conversation apart.
type Kind uint8

// The kinds, each with its layout: an array, in msgpack or JSON. A receiver
// ignores a kind that it does not know.
const (
	// KindCall asks: [1, id, "service.method", arguments], and behind these a map,
	// [How], if there is anything in it.
	KindCall Kind = 1
	// KindCancel gives a call up: [2, id]. Nothing answers it.
	KindCancel Kind = 2
	// KindReply answers a call and ends it: [3, id, result], and behind these a map,
	// [Note], if there is anything in it.
	KindReply Kind = 3
	// KindFailure ends a call without a result: [4, id, "code", "message", retry].
	KindFailure Kind = 4
	// KindPart is one of several results of a streaming method: [5, id, value].
	KindPart Kind = 5
	// KindPassport says that the passport has changed: [6, sealed passport].
	KindPassport Kind = 6
	// KindMore takes more parts of a streaming method: [7, id, how many].
	KindMore Kind = 7
)

// Message is one step of a conversation. Which fields mean something depends on Kind.
type Message struct {
	Kind      Kind
	ID        uint32 // the call's, chosen by the caller, never used twice in a conversation
	Method    string // KindCall: "catalogue.videos"
	Value     Raw    // KindCall: the arguments; KindReply, KindPart: the result
	How       How    // KindCall
	Note      Note   // KindReply
	More      uint32 // KindMore
	Failure   *Error // KindFailure
	Passport  []byte // KindPassport: sealed, see package passport
	Oversized bool   // set by NextMessage: the message was too long to decode
}

// extra is the map behind the fixed elements, nil if there is nothing in it.
func (m *Message) extra() behind {
	switch {
	case m.Kind == KindCall && !m.How.isZero():
		return &m.How
	case m.Kind == KindReply && m.Note != Note{}:
		return &m.Note
	}
	return nil
}

// behind is the map behind the fixed elements of a message.
type behind interface{ appendMsgpack(dst []byte) []byte }

// intoExtra is where that map is decoded to, nil for kinds that have none.
func (m *Message) intoExtra() any {
	switch m.Kind {
	case KindCall:
		return &m.How
	case KindReply:
		return &m.Note
	}
	return nil
}

// fits reports whether an array of n elements can be of the kind.
func (m *Message) fits(n int) bool {
	return n == m.Kind.size() || n == m.Kind.size()+1 && m.intoExtra() != nil
}

// size is the number of elements of the array for the kind, without the extra one.
func (k Kind) size() int {
	switch k {
	case KindCall:
		return 4
	case KindCancel, KindPassport:
		return 2
	case KindFailure:
		return 5
	default:
		return 3
	}
}

// appendMsgpack appends the message; by hand, because every call passes here.
func (m *Message) appendMsgpack(dst []byte) []byte {
	size, extra := m.Kind.size(), m.extra()
	if extra != nil {
		size++
	}
	dst = msgp.AppendArrayHeader(dst, uint32(size))
	dst = msgp.AppendUint8(dst, uint8(m.Kind))
	if m.Kind == KindPassport {
		return msgp.AppendBytes(dst, m.Passport)
	}
	dst = msgp.AppendUint32(dst, m.ID)
	switch m.Kind {
	case KindCall:
		dst = appendValue(msgp.AppendString(dst, m.Method), m.Value)
	case KindReply, KindPart:
		dst = appendValue(dst, m.Value)
	case KindMore:
		dst = msgp.AppendUint32(dst, m.More)
	case KindFailure:
		dst = msgp.AppendString(dst, m.Failure.Code.String())
		dst = msgp.AppendString(dst, m.Failure.Message)
		dst = msgp.AppendBool(dst, m.Failure.Retry)
	}
	if extra != nil {
		dst = extra.appendMsgpack(dst)
	}
	return dst
}

// appendValue appends a value that is encoded already; none at all is nil.
func appendValue(dst []byte, v Raw) []byte {
	if len(v) == 0 {
		return msgp.AppendNil(dst)
	}
	return append(dst, v...)
}

// readMessage reads a message that has been walked, without a decoder and without a
// copy: what nearly all are, a call or a reply. It reports false for all others, and
// for what is wrong with one of these.
func readMessage(b []byte) (m Message, ok bool) {
	kind, n, b, err := readHead(b)
	if err != nil || kind != KindCall && kind != KindReply {
		return m, false
	}
	m.Kind = kind
	if !m.fits(n) {
		return m, false
	}
	if m.ID, b, err = msgp.ReadUint32Bytes(b); err != nil {
		return m, false
	}
	if kind == KindCall {
		if m.Method, b, err = msgp.ReadStringBytes(b); err != nil {
			return m, false
		}
	}
	behind, err := skip(b)
	if err != nil {
		return m, false
	}
	size := len(b) - len(behind)
	m.Value = b[:size:size]
	switch {
	case n == kind.size():
		return m, true
	case kind == KindCall:
		return m, m.How.read(behind)
	default:
		return m, m.Note.read(behind)
	}
}

// readHead reads how many elements a message has, and the first of them.
func readHead(b []byte) (kind Kind, n int, rest []byte, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return 0, 0, nil, err
	}
	k, b, err := msgp.ReadUint8Bytes(b)
	return Kind(k), int(size), b, err
}

// decode reads a message that has been walked.
func (m *Message) decode(dec *msgpack.Decoder) error {
	n, err := dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	kind, err := decodeUint(dec, math.MaxUint8)
	if err != nil {
		return fmt.Errorf("the kind: %w", err)
	}
	m.Kind = Kind(kind)
	if !m.Kind.known() {
		return nil
	}
	if !m.fits(n) {
		return fmt.Errorf("%d elements in a message of kind %d, expected %d", n, kind, m.Kind.size())
	}
	if m.Kind == KindPassport {
		m.Passport, err = dec.DecodeBytes()
		return err
	}
	if err := m.decodeID(dec); err != nil {
		return err
	}
	switch m.Kind {
	case KindCall:
		if m.Method, err = decodeText(dec); err != nil {
			return fmt.Errorf("the method: %w", err)
		}
		m.Value, err = decodeRaw(dec)
	case KindReply, KindPart:
		m.Value, err = decodeRaw(dec)
	case KindMore:
		m.More, err = decodeUint32(dec)
	case KindFailure:
		err = m.decodeFailure(dec)
	}
	if err == nil && n > m.Kind.size() {
		if err = dec.Decode(m.intoExtra()); err != nil {
			err = fmt.Errorf("the map behind it: %w", err)
		}
	}
	return err
}

func (m *Message) decodeID(dec *msgpack.Decoder) (err error) {
	if m.ID, err = decodeUint32(dec); err != nil {
		err = fmt.Errorf("the id: %w", err)
	}
	return err
}

func decodeUint32(dec *msgpack.Decoder) (uint32, error) {
	n, err := decodeUint(dec, math.MaxUint32)
	return uint32(n), err
}

// decodeUint reads an integer of 0 to most; the library would cut a larger one
// to size.
func decodeUint(dec *msgpack.Decoder, most uint64) (uint64, error) {
	if err := present(dec); err != nil {
		return 0, err
	}
	n, err := dec.DecodeUint64()
	if err == nil && n > most {
		err = fmt.Errorf("an integer that is not in 0 to %d", most)
	}
	return n, err
}

func decodeText(dec *msgpack.Decoder) (string, error) {
	if err := present(dec); err != nil {
		return "", err
	}
	return dec.DecodeString()
}

var errNil = errors.New("nil where there should be a value")

// present is an error if nil is next, which the library reads as 0, "" or false.
func present(dec *msgpack.Decoder) error {
	if c, err := dec.PeekCode(); err == nil && c == msgpcode.Nil {
		return errNil
	}
	return nil
}

func decodeRaw(dec *msgpack.Decoder) (Raw, error) {
	raw, err := dec.DecodeRaw()
	return Raw(raw), err
}

func (m *Message) decodeFailure(dec *msgpack.Decoder) error {
	code, err := decodeText(dec)
	if err != nil {
		return fmt.Errorf("the code: %w", err)
	}
	m.Failure = &Error{Code: CodeNamed(code), Remote: true}
	if m.Failure.Message, err = decodeText(dec); err != nil {
		return fmt.Errorf("the message: %w", err)
	}
	m.Failure.Retry, err = decodeBool(dec)
	return err
}

func (k Kind) known() bool { return k >= KindCall && k <= KindMore }

func (msgpackCodec) AppendMessage(dst []byte, m *Message) ([]byte, error) {
	return m.appendMsgpack(dst), nil
}

func (msgpackCodec) NextMessage(b []byte, most int) (m Message, rest []byte, err error) {
	n, err := DefaultLimits.Walk(b)
	if err != nil {
		return m, nil, err
	}
	b, rest = b[:n:n], b[n:]
	m, ok := Message{}, false
	if n <= most {
		m, ok = readMessage(b)
	}
	if !ok { // the decoder knows what else there is, and what is wrong
		m, err = decodeMessage(b, n > most)
	}
	return m, rest, err
}

// decodeMessage decodes a message that has been walked, or only the kind and the id
// of one that is too long.
func decodeMessage(b []byte, oversized bool) (Message, error) {
	m := Message{Oversized: oversized}
	into := m.decode
	if oversized {
		into = m.decodeHead
	}
	if err := decode(b, into); err != nil {
		return m, fmt.Errorf("%w message: %w", ErrMalformed, err)
	}
	return m, nil
}

// decodeHead reads the kind and the id only.
func (m *Message) decodeHead(dec *msgpack.Decoder) error {
	if _, err := dec.DecodeArrayLen(); err != nil {
		return err
	}
	kind, err := decodeUint(dec, math.MaxUint8)
	if err != nil {
		return fmt.Errorf("the kind: %w", err)
	}
	if m.Kind = Kind(kind); m.Kind == KindPassport || !m.Kind.known() {
		return nil
	}
	return m.decodeID(dec)
}

func (jsonCodec) AppendMessage(dst []byte, m *Message) ([]byte, error) {
	a := make([]any, 1, 6)
	a[0] = m.Kind
	if m.Kind != KindPassport {
		a = append(a, m.ID)
	}
	switch m.Kind {
	case KindCall:
		a = append(a, m.Method, rawJSON(m.Value))
	case KindReply, KindPart:
		a = append(a, rawJSON(m.Value))
	case KindMore:
		a = append(a, m.More)
	case KindFailure:
		a = append(a, m.Failure.Code, m.Failure.Message, m.Failure.Retry)
	case KindPassport:
		a = append(a, m.Passport)
	}
	if extra := m.extra(); extra != nil {
		a = append(a, extra)
	}
	b, err := json.Marshal(a)
	if err != nil {
		return dst, fmt.Errorf("encode message: %w", err)
	}
	return append(dst, b...), nil
}

// rawJSON is a value that is encoded already; none at all is null.
func rawJSON(v Raw) json.RawMessage {
	if len(v) == 0 {
		return nil
	}
	return json.RawMessage(v)
}

func (jsonCodec) NextMessage(b []byte, most int) (m Message, rest []byte, err error) {
	bad := func(err error) (Message, []byte, error) {
		return m, nil, fmt.Errorf("%w message: %w", ErrMalformed, err)
	}
	var a []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&a); err != nil {
		return bad(err)
	}
	n := int(dec.InputOffset())
	rest = bytes.TrimLeft(b[n:], " \t\r\n")
	if len(a) == 0 {
		return bad(fmt.Errorf("an empty array"))
	}
	if err := element(a[0], &m.Kind); err != nil {
		return bad(fmt.Errorf("the kind: %w", err))
	}
	if !m.Kind.known() {
		return m, rest, nil
	}
	if !m.fits(len(a)) {
		return bad(fmt.Errorf("%d elements in a message of kind %d, expected %d", len(a), m.Kind, m.Kind.size()))
	}
	into := []any{&m.ID}
	if m.Kind == KindPassport {
		into = nil
	}
	if m.Oversized = n > most; !m.Oversized {
		into = append(into, m.jsonFields()...)
		if len(a) > m.Kind.size() {
			into = append(into, m.intoExtra())
		}
	}
	for i, field := range into {
		if raw, ok := field.(*Raw); ok {
			*raw = Raw(a[i+1])
		} else if err := element(a[i+1], field); err != nil {
			return bad(fmt.Errorf("element %d: %w", i+1, err))
		}
	}
	return m, rest, nil
}

// element decodes one element; null, which json would pass over, is no integer,
// text or bool.
func element(b json.RawMessage, into any) error {
	if _, ok := into.(*[]byte); !ok && string(b) == "null" {
		return errNil
	}
	return json.Unmarshal(b, into)
}

// jsonFields are where the elements behind kind and id go.
func (m *Message) jsonFields() []any {
	switch m.Kind {
	case KindCall:
		return []any{&m.Method, &m.Value}
	case KindReply, KindPart:
		return []any{&m.Value}
	case KindFailure:
		m.Failure = &Error{Remote: true}
		return []any{&m.Failure.Code, &m.Failure.Message, &m.Failure.Retry}
	case KindPassport:
		return []any{&m.Passport}
	case KindMore:
		return []any{&m.More}
	}
	return nil
}
