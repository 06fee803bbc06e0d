package java

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"warmline.dev/protocol/rsocket"
)

// ourEnd is an end that our engine plays.
type ourEnd struct {
	*witness
	conn *rsocket.Conn
}

func (e *ourEnd) start(scenario string, s script) *pending {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan answer, 1)
	go func() {
		defer cancel()
		done <- e.run(ctx, scenario, s)
	}()
	return &pending{done, cancel}
}

func (e *ourEnd) run(ctx context.Context, scenario string, s script) answer {
	if s.Times <= 1 {
		return e.one(ctx, scenario, s)
	}
	all := make([]answer, s.Times)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = e.one(ctx, scenario, s.numbered(i)) })
	}
	wg.Wait()
	return answer{All: all}
}

func (s script) numbered(i int) script {
	s.Data = fmt.Sprint(s.Data, " ", i)
	if s.Metadata != nil {
		s.Metadata = about(fmt.Sprint(*s.Metadata, " ", i))
	}
	return s
}

func (e *ourEnd) one(ctx context.Context, scenario string, s script) answer {
	p := payload(message{s.Metadata, s.Data})
	if s.Composite != nil {
		var err error
		if p.Metadata, err = writeEntries(s.Composite); err != nil {
			return failed(err.Error())
		}
	}
	switch scenario {
	case "response":
		reply, err := e.conn.Call(ctx, p)
		if err != nil {
			return answerOf(err)
		}
		return answer{End: "complete", Items: []message{messageOf(reply)}}
	case "forget":
		return answerOf(e.conn.FireAndForget(ctx, p))
	case "push":
		return answerOf(e.conn.PushMetadata(ctx, p.Metadata))
	case "stream":
		ch, err := e.conn.OpenStream(ctx, p)
		if err != nil {
			return answerOf(err)
		}
		return take(ctx, ch, s.Take)
	case "channel":
		return e.channel(ctx, p, s)
	}
	return failed("no such scenario: " + scenario)
}

func (e *ourEnd) channel(ctx context.Context, first rsocket.Payload, s script) answer {
	ch, err := e.conn.OpenChannel(ctx, first)
	if err != nil {
		return answerOf(err)
	}
	e.witness.sent.Add(1)
	var a answer
	if s.SendAtEnd {
		a = take(ctx, ch, s.Take)
		a.SendEnd = e.send(ctx, ch, s)
		return a
	}
	ended := make(chan string, 1)
	go func() { ended <- e.send(ctx, ch, s) }()
	a = take(ctx, ch, s.Take)
	a.SendEnd = <-ended
	return a
}

// send sends what follows a channel's first item. Only who sends hears that no
// more is wanted, so a half that never ends goes on, slowly.
func (e *ourEnd) send(ctx context.Context, ch rsocket.Channel, s script) (end string) {
	for i := 1; i <= s.Send || s.Then == "never"; i++ {
		if s.Slowly || i > s.Send {
			time.Sleep(slowly)
		}
		item := script{Data: s.Data, Metadata: s.Metadata}.numbered(i)
		if err := ch.Send(ctx, payload(message{item.Metadata, item.Data})); err != nil {
			return "canceled" // or broken off, which the other half tells
		}
		e.witness.sent.Add(1)
	}
	if ch.CloseSend() != nil {
		return "canceled"
	}
	return "complete"
}

// take receives until the end, or cancels behind so many items; 0 is all.
func take(ctx context.Context, ch rsocket.Channel, most int) answer {
	a := answer{End: "canceled"}
	for {
		p, err := ch.Recv(ctx)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				ch.Cancel()
			}
			end := answerOf(err)
			end.Items = a.Items
			return end
		}
		if a.Items = append(a.Items, messageOf(p)); len(a.Items) == most {
			ch.Cancel()
			return a
		}
	}
}

// answerOf is the end that an error stands for.
func answerOf(err error) answer {
	switch e, ok := errors.AsType[*rsocket.Error](err); {
	case err == nil || errors.Is(err, io.EOF):
		return answer{End: "complete"}
	case ok && e.Remote:
		return answer{End: "error", Code: uint32(e.Code), Text: e.Message}
	case errors.Is(err, context.Canceled), errors.Is(err, rsocket.ErrCanceled):
		return answer{End: "canceled"}
	}
	return failed(err.Error())
}
