package adapter_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func cfgFor(h http.Handler, gateways ...*byHand) adapter.Config {
	cfg := adapter.Config{Handler: h}
	for _, g := range gateways {
		cfg.Gateways = append(cfg.Gateways, g.addr)
	}
	return cfg
}

func TestAnAdapterServesTwoGateways(t *testing.T) {
	a, b := play(t, anyPort), play(t, anyPort)
	start(t, cfgFor(text("hi"), a, b))
	a.line().want("/", 200, "hi")
	b.line().want("/", 200, "hi")
}

func TestOneGatewayOfTwoGoesAway(t *testing.T) {
	a, b := play(t, anyPort), play(t, anyPort)
	start(t, cfgFor(text("hi"), a, b))
	a.line()
	_ = a.Close()
	b.line().want("/", 200, "hi")
}

func TestAGatewayThatRefuses(t *testing.T) {
	a, b := play(t, anyPort), play(t, anyPort)
	b.refuse.Store(true)
	cfg := cfgFor(text("hi"), a, b)
	cfg.Name, cfg.Version = "tv", "2.0.0"
	_, err := adapter.Serve(await.Context(t), cfg)
	refused, ok := errors.AsType[*nodelayer.RefusedError](err)
	if !ok || refused.Address != b.addr || refused.Reason != "not you" {
		t.Fatalf("got %v", err)
	}
	if want := "adapter tv: gateway " + b.addr + " refused the line (REJECTED_SETUP): not you"; err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	await.Value(t, "the other gateway's line to end", a.line().conn.Done())
}

func TestAGatewayThatRestartsIsOfferedTheAdapterAgain(t *testing.T) {
	g := play(t, anyPort)
	start(t, cfgFor(text("hi"), g))
	g.line().want("/", 200, "hi")
	_ = g.Close()
	play(t, g.addr).line().want("/", 200, "hi")
}

func TestServeNamesTheMistake(t *testing.T) {
	h, gateways := text("hi"), []string{play(t, anyPort).addr}
	const required = "adapter: Name, Handler and Gateways are required"
	for _, tc := range []struct {
		want string
		cfg  adapter.Config
	}{
		{required, adapter.Config{Version: "2.0.0", Handler: h, Gateways: gateways}},
		{required, adapter.Config{Name: "tv", Version: "2.0.0", Gateways: gateways}},
		{required, adapter.Config{Name: "tv", Version: "2.0.0", Handler: h}},
		{`adapter tv: version "": …, expected something like 2.1.3`, adapter.Config{Name: "tv", Handler: h, Gateways: gateways}},
		{`adapter tv: version "v2": …, expected something like 2.1.3`, adapter.Config{Name: "tv", Version: "v2", Handler: h, Gateways: gateways}},
		{`adapter tv: MaxBody is -1, expected a positive number`, adapter.Config{Name: "tv", Version: "2.0.0", Handler: h, Gateways: gateways, MaxBody: -1}},
		{`adapter tv: gateway rsocket: address "here": expected tcp://HOST:PORT, tls://HOST:PORT, unix:///PATH, ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]`, adapter.Config{Name: "tv", Version: "2.0.0", Handler: h, Gateways: []string{"here"}}},
		{`adapter tv: gateway rsocket: Window is -1, …`, adapter.Config{Name: "tv", Version: "2.0.0", Handler: h, Gateways: gateways, RSocket: rsocket.Config{Window: -1}}},
		{`adapter tv: gateway rsocket: keepalive -1s …`, adapter.Config{Name: "tv", Version: "2.0.0", Handler: h, Gateways: gateways, KeepAlive: -time.Second}},
	} {
		ctx := await.Context(t)
		s, err := adapter.Serve(ctx, tc.cfg)
		if err == nil {
			_ = s.Shutdown(ended())
			t.Errorf("no error, want %s", tc.want)
		} else if !wildcard.Match(err.Error(), tc.want) || ctx.Err() != nil {
			t.Errorf("\n got %v, context %v\nwant %s", err, ctx.Err(), tc.want)
		}
	}
}

func TestAGatewayThatTalksNonsenseIsToldSoAndAnsweredOn(t *testing.T) {
	const bomb = "\xdd\xff\xff\xff\xff"
	device := (&protocol.Metadata{Route: protocol.RouteDevice}).Append(nil)
	l := serve(t, text("alive"))
	for what, tc := range map[string]struct {
		request rsocket.Payload
		want    protocol.Error
	}{
		"a bomb":         {rsocket.Payload{Metadata: device, Data: []byte(bomb)}, protocol.Error{Code: protocol.InvalidArgument, Message: "the device request: malformed …"}},
		"no request":     {rsocket.Payload{Metadata: device}, protocol.Error{Code: protocol.InvalidArgument, Message: "the device request: malformed …"}},
		"another shape":  {rsocket.Payload{Metadata: device, Data: []byte("\x81\xa6method\x07")}, protocol.Error{Code: protocol.InvalidArgument, Message: "the device request: …"}},
		"false metadata": {rsocket.Payload{Metadata: []byte("\x05x/pass\xff\xff\xff?")}, protocol.Error{Code: protocol.InvalidArgument, Message: "malformed metadata…"}},
		"another route":  {rsocket.Payload{Metadata: (&protocol.Metadata{Route: "tv.home"}).Append(nil)}, protocol.Error{Code: protocol.UnknownMethod, Message: `"tv.home": an adapter answers warmline.device`}},
	} {
		_, err := l.conn.Call(await.Context(t), tc.request)
		if e := protocol.AsError(err); e == nil || e.Code != tc.want.Code || !e.Remote || !wildcard.Match(e.Message, tc.want.Message) {
			t.Errorf("%s: got %v", what, err)
		}
		l.want("/", 200, "alive")
	}
}

// waits answers when it is let go, and tells when its context ends.
func waits() (h http.Handler, entered chan struct{}, door chan struct{}, gone chan error) {
	entered, door, gone = make(chan struct{}, 10), make(chan struct{}), make(chan error, 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-door:
			_, _ = w.Write([]byte("done"))
		case <-r.Context().Done():
			gone <- r.Context().Err()
		}
	}), entered, door, gone
}

func TestTheHandlersContextEndsWithTheDeviceTheLineAndTheBudget(t *testing.T) {
	h, entered, _, gone := waits()
	l := serve(t, h)
	in := protocol.DeviceRequest{Method: "GET", Path: "/"}
	cause := func(want error) {
		t.Helper()
		if err := await.Value(t, "the context to end", gone); !errors.Is(err, want) {
			t.Errorf("it ended with %v, want %v", err, want)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { _, _, err := l.try(ctx, protocol.Metadata{}, in); done <- err }()
	await.Value(t, "the request", entered)
	cancel() // the device went away
	cause(context.Canceled)
	<-done

	l.send(protocol.Metadata{Budget: time.Millisecond}, in)
	await.Value(t, "the request", entered)
	cause(context.DeadlineExceeded)

	go func() { _, _, err := l.try(context.Background(), protocol.Metadata{}, in); done <- err }()
	await.Value(t, "the request", entered)
	_ = l.conn.Close()
	cause(context.Canceled)
	<-done
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	h, entered, door, _ := waits()
	g := play(t, anyPort)
	s := start(t, cfgFor(h, g))
	l := g.line()
	answered, down := make(chan protocol.DeviceResponse, 1), make(chan error, 1)
	go func() {
		answer, _, err := l.try(context.Background(), protocol.Metadata{}, protocol.DeviceRequest{Method: "GET", Path: "/"})
		if err != nil {
			t.Error(err)
		}
		answered <- answer
	}()
	await.Value(t, "the request", entered)
	go func() { down <- s.Shutdown(await.Context(t)) }()
	await.Until(t, "the gateway to be told", l.conn.Draining)
	select {
	case err := <-down:
		t.Errorf("Shutdown returned %v with a request under way", err)
	default:
	}
	close(door)
	wantAnswer(t, "the request under way", await.Value(t, "the answer", answered), 200, "done")
	if err := await.Value(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if len(g.lines) > 0 {
		t.Error("the adapter has come back")
	}
}

func TestShutdownCutsOffWhatIsNotDoneInTime(t *testing.T) {
	h, entered, _, gone := waits()
	g := play(t, anyPort)
	s := start(t, cfgFor(h, g))
	l := g.line()
	failed := make(chan error, 1)
	go func() {
		_, _, err := l.try(context.Background(), protocol.Metadata{}, protocol.DeviceRequest{Method: "GET", Path: "/"})
		failed <- err
	}()
	await.Value(t, "the request", entered)
	if err := s.Shutdown(ended()); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	await.Value(t, "the context to end", gone)
	if err := await.Value(t, "the request to fail", failed); !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
