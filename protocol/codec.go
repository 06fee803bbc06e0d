package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// The data MIME types of a line, as SETUP names them.
const (
	MIMEMsgPack = "application/vnd.msgpack"
	MIMEJSON    = "application/json"
)

// Raw is a value that is encoded already, in the codec of the line it is for.
type Raw []byte

// Codec turns values into bytes and back. There are two, [MsgPack] and [JSON];
// both go by the json tags of structs, so one type serves both.
type Codec interface {
	// MIME is the data MIME type that SETUP names the codec by.
	MIME() string
	// Marshal encodes any value.
	Marshal(v any) (Raw, error)
	// Unmarshal decodes exactly one value, msgpack within [DefaultLimits], JSON
	// within those of encoding/json. Fields that into does not have are passed
	// over. Bytes that are no encoding at all give an error that wraps
	// [ErrMalformed]; a value that does not fit, another one.
	Unmarshal(b []byte, into any) error
	// UnmarshalStrict is Unmarshal that fails on a field that into does not have.
	UnmarshalStrict(b []byte, into any) error
	// Calls lists the call of each reference in the arguments of another. The error
	// wraps [ErrMalformed], or is an *[Error] with [InvalidArgument].
	Calls(args Raw) ([]uint32, error)
	// Renumber returns the arguments with the id that by returns in the place of each
	// reference's call. The error is by's, or as that of Calls.
	Renumber(args Raw, by func(call uint32) (uint32, error)) (Raw, error)
	// Rewrite returns the arguments with what by returns, an encoded value, in the
	// place of each reference. The error is by's, or as that of Calls.
	Rewrite(args Raw, by func(r Reference) (Raw, error)) (Raw, error)
	// Resolve returns the arguments with what each reference stands for in its
	// place, out of the result of the call that it names, in at most most bytes. The
	// error is that of results; or wraps [ErrMalformed]; or is an *[Error]:
	// [Unresolved] for a path that leads nowhere, [TooLarge], [InvalidArgument].
	Resolve(args Raw, most int, results func(call uint32) (Raw, error)) (Raw, error)
	// AppendMessage appends a message.
	AppendMessage(dst []byte, m *Message) ([]byte, error)
	// NextMessage decodes the first message of b and returns what is behind it.
	// A message longer than most bytes has [Message.Oversized] set and only its
	// kind and id. Its Value may be part of b: it is good for as long as b is not
	// changed. The error wraps [ErrMalformed].
	NextMessage(b []byte, most int) (m Message, rest []byte, err error)
	// NextCall is NextMessage without a copy, for calls that ask for nothing besides
	// their result. It reports false for all other messages, and may for any:
	// NextMessage knows them.
	NextCall(b []byte, most int) (c Call, rest []byte, ok bool)
}

// The codecs.
var (
	MsgPack Codec = msgpackCodec{}
	JSON    Codec = jsonCodec{}
)

// CodecFor returns the codec of a data MIME type, or an error that lists those there are.
func CodecFor(mime string) (Codec, error) {
	switch mime {
	case MIMEMsgPack:
		return MsgPack, nil
	case MIMEJSON:
		return JSON, nil
	}
	return nil, fmt.Errorf("data MIME type %q: expected %s or %s", mime, MIMEMsgPack, MIMEJSON)
}

type msgpackCodec struct{}

func (msgpackCodec) MIME() string { return MIMEMsgPack }

func (msgpackCodec) Marshal(v any) (Raw, error) {
	if raw, ok := v.(Raw); ok {
		return raw, nil
	}
	b, err := appendEncoded(nil, func(enc *msgpack.Encoder) error { return enc.Encode(v) })
	if err != nil {
		return nil, fmt.Errorf("encode as msgpack: %w", err)
	}
	return b, nil
}

func (c msgpackCodec) Unmarshal(b []byte, into any) error { return c.unmarshal(b, into, false) }

func (c msgpackCodec) UnmarshalStrict(b []byte, into any) error { return c.unmarshal(b, into, true) }

func (msgpackCodec) unmarshal(b []byte, into any, strict bool) error {
	var room [4]extension
	extensions, err := DefaultLimits.check(b, room[:])
	if err != nil {
		return err
	}
	if raw, ok := into.(*Raw); ok {
		*raw = append(Raw(nil), b...)
		return nil
	}
	return decode(b, func(dec *msgpack.Decoder) error {
		if len(extensions) > 0 {
			dec.ResetReader(&guarded{bytes.NewReader(b), len(b), slices.Clone(extensions)})
		}
		dec.DisallowUnknownFields(strict)
		return dec.Decode(into)
	})
}

// guarded reads a value that has extensions. Where the decoder expects a map and
// finds an extension, it takes the data of the extension for a map (v5.4.1,
// DecodeMapLen), though no walk has been there: c7 05 00 df ffffffff would end
// the process. All that extensions are for reads their data by Read.
type guarded struct {
	*bytes.Reader
	size       int
	extensions []extension // ascending
}

func (g *guarded) ReadByte() (byte, error) {
	if _, found := slices.BinarySearchFunc(g.extensions, g.size-g.Len(), func(e extension, at int) int { return e.data - at }); found {
		return 0, errors.New("an extension where there should be another value")
	}
	return g.Reader.ReadByte()
}

type jsonCodec struct{}

func (jsonCodec) MIME() string { return MIMEJSON }

func (jsonCodec) Marshal(v any) (Raw, error) {
	if raw, ok := v.(Raw); ok {
		return raw, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	return b, nil
}

func (c jsonCodec) Unmarshal(b []byte, into any) error       { return c.unmarshal(b, into, false) }
func (c jsonCodec) UnmarshalStrict(b []byte, into any) error { return c.unmarshal(b, into, true) }

func (jsonCodec) unmarshal(b []byte, into any, strict bool) error {
	if raw, ok := into.(*Raw); ok {
		if !json.Valid(b) {
			return fmt.Errorf("%w JSON", ErrMalformed)
		}
		*raw = append(Raw(nil), b...)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(into); err != nil {
		return asMalformed(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w JSON: more than one value", ErrMalformed)
	}
	return nil
}

// asMalformed marks the errors that are about bytes and not about values.
func asMalformed(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	if syntax || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w JSON: %w", ErrMalformed, err)
	}
	return err
}
