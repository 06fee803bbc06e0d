package nodelayer_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/rsocket"
)

func TestALineResolvesWhatIsWanted(t *testing.T) {
	addr := serve(t, films("1.4.2"), films("2.1.3"), films("3.0.0-rc.1")).addr
	for wants, version := range map[string]string{"^1": "1.4.2", "^2": "2.1.3", "3.0.0-rc.1": "3.0.0-rc.1", "": "2.1.3"} {
		cfg := nodelayer.Config{Edges: []string{addr}, Name: "tv", Version: "1.0.0"}
		if wants != "" {
			cfg.Wants = map[string]string{"films": wants}
		}
		e := dialWith(t, cfg)
		if got, err := nodelayer.Ask[string](t.Context(), e, "films.version", nil); got != version || err != nil {
			t.Errorf("%q: got %q, %v, want %q", wants, got, err, version)
		}
		got := e.Resolved()
		if !maps.Equal(got, map[string]string{"films": version, "edge": "1.0.0"}) {
			t.Errorf("%q: resolved %v", wants, got)
		}
		got["films"] = "scribbled on"
		if e.Resolved()["films"] != version {
			t.Error("the map that Resolved returned is not the caller's own")
		}
	}
}

func TestARefusalIsOneReadableLine(t *testing.T) {
	addr := serve(t, films("1.4.2"), films("2.1.3")).addr
	_, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{addr}, Wants: map[string]string{"films": "^9", "music": "*"}})
	refused, ok := errors.AsType[*nodelayer.RefusedError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	const reason = "wants films ^9, offered: 2.1.3, 1.4.2; wants music *, nothing of that name is offered"
	if refused.Address != addr || refused.Code.String() != "REJECTED_SETUP" || refused.Reason != reason {
		t.Errorf("got %+v", refused)
	}
	if text := "nodelayer: edge " + addr + " refused the line (REJECTED_SETUP): " + reason; err.Error() != text {
		t.Errorf("\n got %v\nwant %s", err, text)
	}
}

// What can't get better by waiting is told at once, though the context would wait.
func TestDialTellsMistakesAtOnce(t *testing.T) {
	addr := serve(t, films("2.1.3")).addr
	for want, cfg := range map[string]nodelayer.Config{
		"nodelayer: Edges is empty, expected the address of one at least":                                                                                              {},
		`nodelayer: edge rsocket: address "http://a:1": expected tcp://HOST:PORT, tls://HOST:PORT, unix:///PATH, ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]`:  {Edges: []string{"http://a:1"}},
		`nodelayer: edge rsocket: address "127.0.0.1:1": expected tcp://HOST:PORT, tls://HOST:PORT, unix:///PATH, ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]`: {Edges: []string{"127.0.0.1:1"}},
		"nodelayer: MaxMessage is -1, expected a positive number":                                                                                                      {Edges: []string{addr}, MaxMessage: -1},
		"nodelayer: edge …rsocket: MaxFrame is 5, expected …":                                                                                                          {Edges: []string{addr}, RSocket: rsocket.Config{MaxFrame: 5}},
		"nodelayer: edge …rsocket: keepalive -1s …":                                                                                                                    {Edges: []string{addr}, KeepAlive: -time.Second},
	} {
		ctx := await.Context(t)
		e, err := nodelayer.Dial(ctx, cfg)
		if err == nil {
			_ = e.Close()
			t.Errorf("no error, want %s", want)
		} else if !wildcard.Match(err.Error(), want) || ctx.Err() != nil {
			t.Errorf("\n got %v, context %v\nwant %s", err, ctx.Err(), want)
		}
	}
}

func TestDialWaitsForAnEdgeUntilItsContextEnds(t *testing.T) {
	gone := serve(t, films("2.1.3"))
	_ = gone.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: []string{gone.addr}})
	if _, refused := errors.AsType[*nodelayer.RefusedError](err); err == nil || refused || !strings.HasPrefix(err.Error(), "nodelayer: edge ") {
		t.Errorf("got %v", err)
	}
}

func TestShutdownLetsConversationsFinish(t *testing.T) {
	g, gates := newGate()
	e := dial(t, serve(t, gates).addr)
	c := converse(t, e)
	answered := later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	done := later(func() error { return e.Shutdown(await.Context(t)) })
	await.Until(t, "new calls to be refused", func() bool { return errOf(askInt(t.Context(), e, "gate.nothing", nil)) != nil })
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v with a call under way", err)
	default:
	}
	g.letGo(1)
	if err := await.Value(t, "the call", answered); err != nil {
		t.Errorf("the call under way: %v", err)
	}
	c.Close()
	if err := await.Value(t, "Shutdown", done); err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
}
