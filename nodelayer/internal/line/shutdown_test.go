package line_test

import (
	"context"
	"errors"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol/rsocket"
)

func TestShutdownJoinsItsGoroutines(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	l := k.Line()
	if err := k.Shutdown(await.Context(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if running("line.(*Keeper).run") {
		t.Error("the keeper's loop still runs")
	}
	select {
	case <-l.Conn.Done():
	default:
		t.Error("the line stands")
	}
	if err := k.Shutdown(await.Context(t)); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if n := len(p.conns); n != 1 {
		t.Errorf("%d lines were opened", n)
	}
}

func TestShutdownWhileTheLineIsGone(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	_ = p.Close()
	await.Until(t, "the line to be gone", func() bool { return k.Line() == nil })
	if err := k.Shutdown(await.Context(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if running("line.(*Keeper).run") {
		t.Error("the keeper's loop still runs")
	}
}

func TestShutdownWhileDiallingAgain(t *testing.T) {
	asked := make(chan struct{}, 1)
	p := play(t, anyPort, rsocket.Handler{})
	k := keep(t, line.Target{Address: p.addr})
	_ = p.Close()
	new(peer).serve(t, p.addr, func(context.Context, *rsocket.Conn) (rsocket.Handler, error) {
		return rsocket.Handler{Response: func(ctx context.Context, _ rsocket.Payload) (rsocket.Payload, error) {
			asked <- struct{}{}
			<-ctx.Done() // never says what was agreed
			return rsocket.Payload{}, ctx.Err()
		}}, nil
	})
	await.Value(t, "the keeper to dial again", asked)
	if err := k.Shutdown(await.Context(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if running("line.(*Keeper).run") {
		t.Error("the keeper's loop still runs")
	}
	if k.Line() != nil {
		t.Error("there is a line that was never agreed on")
	}
}

func TestShutdownWaitsForWhatIsUnderWay(t *testing.T) {
	entered, door := make(chan struct{}), make(chan struct{})
	p := play(t, anyPort, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
		close(entered)
		<-door
		return rsocket.Payload{Data: []byte("done")}, nil
	}})
	k := keep(t, line.Target{Address: p.addr})
	answered, down := make(chan string, 1), make(chan error, 1)
	conn := k.Line().Conn
	go func() {
		p, err := conn.Call(context.Background(), rsocket.Payload{})
		if err != nil {
			t.Error(err)
		}
		answered <- string(p.Data)
	}()
	await.Value(t, "the call to begin", entered)
	go func() { down <- k.Shutdown(await.Context(t)) }()
	await.Until(t, "the line to take nothing new", conn.Draining)
	select {
	case err := <-down:
		t.Errorf("Shutdown returned %v with a call under way", err)
	default:
	}
	close(door)
	if got := await.Value(t, "the answer", answered); got != "done" {
		t.Errorf("got %q", got)
	}
	if err := await.Value(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownCutsOffWhatIsNotDoneInTime(t *testing.T) {
	entered := make(chan struct{})
	p := play(t, anyPort, rsocket.Handler{Response: func(ctx context.Context, _ rsocket.Payload) (rsocket.Payload, error) {
		close(entered)
		<-ctx.Done()
		return rsocket.Payload{}, ctx.Err()
	}})
	k := keep(t, line.Target{Address: p.addr})
	failed := make(chan error, 1)
	conn := k.Line().Conn
	go func() {
		_, err := conn.Call(context.Background(), rsocket.Payload{})
		failed <- err
	}()
	await.Value(t, "the call to begin", entered)
	if err := k.Shutdown(ended()); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := await.Value(t, "the call", failed); !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("the call: %v", err)
	}
}
