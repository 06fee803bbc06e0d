package line_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol/rsocket"
)

func TestARefusalIsToldAtOnce(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	p.refuse.Store(true)
	_, err := line.Keep(await.Context(t), line.Target{Address: p.addr}, zerolog.Nop())
	if _, ok := errors.AsType[*line.RefusedError](err); !ok {
		t.Errorf("got %v", err)
	}
	if n := p.refused.Load(); n != 1 {
		t.Errorf("%d setups were sent", n)
	}
}

// Neither gets better by waiting, so the context does not come into it.
func TestAMistakeIsToldAtOnce(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	for want, target := range map[string]line.Target{
		`rsocket: address "nowhere": expected tcp://HOST:PORT`: {Address: "nowhere"},
		"rsocket: MaxFrame is 7, expected ":                    {Address: p.addr, RSocket: rsocket.Config{MaxFrame: 7}},
		"rsocket: keepalive -1s ":                              {Address: p.addr, KeepAlive: -time.Second},
	} {
		ctx := await.Context(t)
		_, err := line.Keep(ctx, target, zerolog.Nop())
		if err == nil || !strings.HasPrefix(err.Error(), want) || ctx.Err() != nil {
			t.Errorf("\n got %v, context %v\nwant %s", err, ctx.Err(), want)
		}
	}
}

func TestAPeerThatIsNotThereYetIsTriedAgain(t *testing.T) {
	var log logged.Log
	addr := nobody(t)
	kept := make(chan *line.Keeper, 1)
	go func() {
		k, err := line.Keep(await.Context(t), line.Target{Address: addr}, zerolog.New(&log))
		if err != nil {
			t.Error(err)
		}
		kept <- k
	}()
	await.Until(t, "a first failure", func() bool { return strings.Contains(log.String(), "no line yet, trying again") })
	p := play(t, addr, rsocket.Handler{})
	k := await.Value(t, "the line", kept)
	if k == nil {
		return
	}
	defer func() { _ = k.Shutdown(ended()) }()
	if l := k.Line(); l == nil || l.Welcome().Name != "peer" {
		t.Errorf("got %+v", l)
	}
	await.Value(t, "the peer's side", p.conns)
}

func TestKeepGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := line.Keep(ctx, line.Target{Address: nobody(t)}, zerolog.Nop())
	if _, refused := errors.AsType[*line.RefusedError](err); err == nil || refused || ctx.Err() == nil {
		t.Errorf("got %v, context %v", err, ctx.Err())
	}
}

func TestALineThatIsLostIsDialledAgain(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	first := k.Line()
	_ = (<-p.conns).Close()
	await.Value(t, "a second line", p.conns)
	await.Until(t, "the second line", func() bool { l := k.Line(); return l != nil && l != first })
	if first.Conn.Err() == nil {
		t.Error("the first line stands")
	}
}

func TestWhileThereIsNobodyThereIsNoLine(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	_ = p.Close()
	await.Until(t, "the line to be gone", func() bool { return k.Line() == nil })
	p = play(t, p.addr, rsocket.Handler{})
	await.Value(t, "a second line", p.conns)
	await.Until(t, "the second line", func() bool { return k.Line() != nil })
}

func TestARefusalLaterIsTriedAgain(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	p.refuse.Store(true)
	_ = (<-p.conns).Close()
	await.Until(t, "two refusals", func() bool { return p.refused.Load() >= 2 })
	if k.Line() != nil {
		t.Error("there is a line though the peer refuses")
	}
	p.refuse.Store(false)
	await.Until(t, "the line to be back", func() bool { return k.Line() != nil })
}
