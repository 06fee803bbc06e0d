package rsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"warmline.dev/internal/await"
)

// TestClientConformance plays testdata/conformance/client.txt: the rules that a
// client keeps, and a requester of either side.
func TestClientConformance(t *testing.T) {
	for _, s := range readScenarios(t, "client.txt") {
		t.Run(s.section+"/"+s.rule, func(t *testing.T) {
			overEach(t, func(t *testing.T, scheme string) {
				c, p := rawServerOver(t, scheme, echo(), s.config)
				a := &application{t: t, c: c, results: make(chan string, 16)}
				p.play(s.steps, a.act)
			})
		})
	}
}

// application does what a scenario says, each thing on a goroutine of its own,
// and notes what comes of it.
type application struct {
	t       *testing.T
	c       *Conn
	ch      Channel // the one that was opened last
	giveUp  context.CancelFunc
	results chan string
}

func (a *application) act(s step) {
	a.t.Helper()
	if s.kind == '=' {
		if got := await.Value(a.t, s.String(), a.results); got != s.text {
			a.t.Fatalf("%v: got %s", s, got)
		}
		return
	}
	verb, data, _ := strings.Cut(s.text, " ")
	ctx := await.Context(a.t)
	switch verb {
	case "call":
		a.do(func() (string, error) {
			p, err := a.c.Call(ctx, text(data))
			return "reply " + string(p.Data), err
		})
	case "begin": // a call that can be given up
		var cancelled context.Context
		cancelled, a.giveUp = context.WithCancel(ctx)
		a.do(func() (string, error) {
			_, err := a.c.Call(cancelled, text(data))
			return "", err
		})
	case "give-up":
		a.giveUp()
	case "forget":
		a.do(func() (string, error) { return "sent", a.c.FireAndForget(ctx, text(data)) })
	case "push":
		a.do(func() (string, error) { return "pushed", a.c.PushMetadata(ctx, []byte(data)) })
	case "stream", "channel":
		open := a.c.OpenStream
		if verb == "channel" {
			open = a.c.OpenChannel
		}
		ch, err := open(ctx, text(data))
		if err != nil {
			a.t.Fatalf("%v: %v", s, err)
		}
		a.ch = ch
	case "send":
		a.do(func() (string, error) { return "sent", a.ch.Send(ctx, text(data)) })
	case "receive":
		a.do(func() (string, error) {
			p, err := a.ch.Recv(ctx)
			return "item " + string(p.Data), err
		})
	case "complete":
		_ = a.ch.CloseSend()
	case "cancel":
		a.ch.Cancel()
	case "shutdown":
		a.do(func() (string, error) { return "closed", a.c.Shutdown(ctx) })
	case "end":
		a.do(func() (string, error) {
			<-a.c.Done()
			return "", a.c.Err()
		})
	default:
		a.t.Fatalf("%v: not something that the application does", s)
	}
}

func (a *application) do(what func() (string, error)) {
	go func() {
		result, err := what()
		switch e, ok := errors.AsType[*Error](err); {
		case err == nil:
		case errors.Is(err, ErrDraining):
			result = "nothing was sent"
		case errors.Is(err, io.EOF):
			result = "end"
		case ok && e.Remote:
			result = fmt.Sprintf("peer %s %s", e.Code, e.Message)
		case ok:
			result = fmt.Sprintf("error %s %s", e.Code, e.Message)
		case errors.Is(err, ErrClosed):
			result = "closed"
		default:
			result = "error " + err.Error()
		}
		a.results <- result
	}()
}
