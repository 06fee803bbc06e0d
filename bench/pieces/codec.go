package pieces

import (
	"context"
	"fmt"

	"warmline.dev/internal/sample/service"
	"warmline.dev/protocol"
)

const mostMessage = 1 << 20

func prepareCodec(context.Context) (ready, error) {
	var pieces []piece
	for _, c := range []struct {
		name  string
		codec protocol.Codec
	}{{"msgpack", protocol.MsgPack}, {"JSON", protocol.JSON}} {
		args, films := twelve()
		call := &message{c.codec, protocol.Message{Kind: protocol.KindCall, ID: 17, Method: "catalogue.videos"}, args}
		answer := &message{c.codec, protocol.Message{Kind: protocol.KindReply, ID: 17}, films}
		for _, m := range []struct {
			name   string
			encode func(dst []byte) ([]byte, error)
			decode func(b []byte) error
		}{
			{"call", call.encode, func(b []byte) error { return decodeCall(c.codec, b) }},
			{"answer", answer.encode, func(b []byte) error { return decodeAnswer(c.codec, b) }},
		} {
			encoded, err := m.encode(nil)
			if err != nil {
				return ready{}, err
			}
			pieces = append(pieces, piece{name: c.name + ", " + m.name + " encoded", encoded: len(encoded), measure: loop(func(n int) error {
				into := make([]byte, 0, len(encoded))
				for range n {
					if _, err := m.encode(into); err != nil {
						return err
					}
				}
				return nil
			}).measure}, piece{name: c.name + ", " + m.name + " decoded", encoded: len(encoded), measure: loop(func(n int) error {
				for range n {
					if err := m.decode(encoded); err != nil {
						return err
					}
				}
				return nil
			}).measure})
		}
	}
	return ready{pieces: pieces}, nil
}

// twelve is a question for as many films as a page has, and the answer.
func twelve() (service.VideosByID, service.Videos2) {
	var of service.VideosByID
	var films service.Videos2
	for i := range 12 {
		id := 1 + i*83
		of.IDs = append(of.IDs, id)
		films.Videos = append(films.Videos, service.Video2{
			ID: id, Title: fmt.Sprintf("The Adventures of Number %d", id), Released: 1920 + id%100, Director: "F. W. Murnau",
			Minutes: 60 + id%120, Country: "Germany", Genre: "drama",
		})
	}
	return of, films
}

// message is one with a value that is encoded with it.
type message struct {
	codec protocol.Codec
	protocol.Message
	value any
}

func (m *message) encode(dst []byte) (_ []byte, err error) {
	if m.Value, err = m.codec.Marshal(m.value); err != nil {
		return nil, err
	}
	return m.codec.AppendMessage(dst, &m.Message)
}

// decodeCall decodes as an edge does: what asks for a result alone is not copied.
func decodeCall(codec protocol.Codec, b []byte) error {
	var args protocol.Raw
	if call, _, ok := codec.NextCall(b, mostMessage); ok {
		args = call.Args
	} else {
		m, _, err := codec.NextMessage(b, mostMessage)
		if err != nil {
			return err
		}
		args = m.Value
	}
	var of service.VideosByID
	return codec.UnmarshalStrict(args, &of)
}

// decodeAnswer decodes as an adapter does.
func decodeAnswer(codec protocol.Codec, b []byte) error {
	m, _, err := codec.NextMessage(b, mostMessage)
	if err != nil {
		return err
	}
	var films service.Videos2
	return codec.Unmarshal(m.Value, &films)
}
