package java

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"warmline.dev/protocol/rsocket"
)

// slowly is the time between two items of a stream that takes its time.
const slowly = 5 * time.Millisecond

var refusal = &rsocket.Error{Code: 0x305, Message: "who is asking?"}

// ourHandler answers as Responder.java does.
func ourHandler(w *witness) rsocket.Handler {
	return rsocket.Handler{
		FireAndForget: func(_ context.Context, p rsocket.Payload) { w.got("forgotten", p) },
		MetadataPush:  func(metadata []byte) { w.got("pushed", rsocket.Payload{Metadata: metadata}) },
		Response: func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			if err, special := w.special(ctx, p); special {
				return rsocket.Payload{}, err
			}
			switch string(p.Data) {
			case "nothing":
				return rsocket.Payload{}, nil
			case "entries":
				return readEntries(p)
			}
			return p, nil
		},
		Stream:  w.stream,
		Channel: w.channel,
	}
}

// special answers the words that every model knows.
func (w *witness) special(ctx context.Context, p rsocket.Payload) (err error, special bool) { //nolint:revive // the error is the answer
	if text, ok := strings.CutPrefix(string(p.Data), "refuse 0x"); ok {
		code, err := strconv.ParseUint(text, 16, 32)
		return errors.Join(err, &rsocket.Error{Code: rsocket.Code(code), Message: refusal.Message}), true
	}
	switch string(p.Data) {
	case "refuse":
		return refusal, true
	case "fail":
		return errors.New("it broke"), true
	case "hang":
		w.saw("hung")
		<-ctx.Done()
		w.saw("released")
		return ctx.Err(), true
	}
	return nil, false
}

func (w *witness) stream(ctx context.Context, p rsocket.Payload, out rsocket.Channel) error {
	if err, special := w.special(ctx, p); special {
		return err
	}
	words := strings.SplitN(string(p.Data), " ", 2)
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return w.send(ctx, out, p)
	}
	w.saw("begun")
	for i := range n {
		if strings.HasSuffix(string(p.Data), " slowly") {
			time.Sleep(slowly)
		}
		item := rsocket.Payload{Data: fmt.Append(nil, "item ", i)}
		if p.Metadata != nil {
			item.Metadata = fmt.Append(nil, string(p.Metadata), " ", i)
		}
		if err := w.send(ctx, out, item); err != nil {
			return err
		}
	}
	if strings.HasSuffix(string(p.Data), " then refuse") {
		return refusal
	}
	return nil
}

// send counts what left, and notes when it is no longer wanted.
func (w *witness) send(ctx context.Context, out rsocket.Channel, p rsocket.Payload) error {
	err := out.Send(ctx, p)
	if err == nil {
		w.sent.Add(1)
	} else if ctx.Err() != nil {
		w.saw("released")
	}
	return err
}

func (w *witness) channel(ctx context.Context, ch rsocket.Channel) error {
	first, err := ch.Recv(ctx)
	if err != nil {
		return err
	}
	if err, special := w.special(ctx, first); special {
		return err
	}
	w.saw("begun")
	switch string(first.Data) {
	case "gate":
		select {
		case <-w.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	case "collect":
		return w.collect(ctx, ch, first)
	case "bye":
		return w.bye(ctx, ch, first)
	case "enough":
		return w.enough(ctx, ch)
	}
	for p := first; err == nil; p, err = ch.Recv(ctx) {
		if err := w.send(ctx, ch, p); err != nil {
			return err
		}
	}
	return w.ended(err)
}

// ended tells a half that is complete from one that broke off.
func (w *witness) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	a := answerOf(err)
	w.add(event{What: "broken", Code: a.Code, Text: a.Text})
	return err
}

// collect sends everything back when the requester's half has ended.
func (w *witness) collect(ctx context.Context, ch rsocket.Channel, p rsocket.Payload) error {
	var all []rsocket.Payload
	var err error
	for ; err == nil; p, err = ch.Recv(ctx) {
		all = append(all, p)
	}
	if err := w.ended(err); err != nil {
		return err
	}
	for _, p := range all {
		if err := w.send(ctx, ch, p); err != nil {
			return err
		}
	}
	return nil
}

// bye ends this half, and goes on taking.
func (w *witness) bye(ctx context.Context, ch rsocket.Channel, p rsocket.Payload) error {
	if err := w.send(ctx, ch, p); err != nil {
		return err
	}
	if err := ch.CloseSend(); err != nil {
		return err
	}
	var err error
	for ; err == nil; p, err = ch.Recv(ctx) {
		w.got("took", p)
	}
	if err := w.ended(err); err != nil {
		return err
	}
	w.saw("complete")
	return nil
}

// enough takes three items and no more: the requester is told when this returns.
func (w *witness) enough(ctx context.Context, ch rsocket.Channel) error {
	for range 2 {
		if _, err := ch.Recv(ctx); err != nil {
			return err
		}
	}
	for i := range 3 {
		if err := w.send(ctx, ch, rsocket.Payload{Data: fmt.Append(nil, "more ", i+1)}); err != nil {
			return err
		}
	}
	return nil
}
