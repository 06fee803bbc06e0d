package protocol

import (
	"bytes"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// encoding is an encoder and the buffer that it fills, to be used again together:
// growing a buffer for each value costs more than encoding most values does.
type encoding struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

// decoding is a decoder and what it reads from, the same way.
type decoding struct {
	from bytes.Reader
	dec  *msgpack.Decoder
}

var (
	encodings = sync.Pool{New: func() any { return &encoding{enc: msgpack.NewEncoder(nil)} }}
	decodings = sync.Pool{New: func() any { return &decoding{dec: msgpack.NewDecoder(nil)} }}
)

// largest is the largest buffer that is kept, in bytes.
const largest = 64 << 10

// appendEncoded appends what encode writes, and nothing if that fails. The
// encoder is set the way both ends of a line expect.
func appendEncoded(dst []byte, encode func(enc *msgpack.Encoder) error) ([]byte, error) {
	e := encodings.Get().(*encoding)
	e.enc.Reset(&e.buf)
	e.enc.SetCustomStructTag("json")
	e.enc.UseCompactInts(true)
	e.enc.UseCompactFloats(true)
	e.enc.SetSortMapKeys(true) // the same arguments are the same bytes: an edge knows a question by them
	if err := encode(e.enc); err != nil {
		return dst, err // who fails half-way is not used again
	}
	dst = append(dst, e.buf.Bytes()...)
	if e.buf.Cap() <= largest {
		e.buf.Reset()
		encodings.Put(e)
	}
	return dst, nil
}

// decode decodes from b, which must have been walked.
func decode(b []byte, decode func(dec *msgpack.Decoder) error) error {
	d := decodings.Get().(*decoding)
	d.from.Reset(b)
	d.dec.Reset(&d.from)
	d.dec.SetCustomStructTag("json")
	if err := decode(d.dec); err != nil {
		return err // who fails half-way is not used again: it may hold what it has read (v5.4.1, DecodeRaw)
	}
	d.from.Reset(nil)
	d.dec.ResetReader(nil)
	decodings.Put(d)
	return nil
}
