package nodelayer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

func TestVersionsMoveWhileALineIsOpen(t *testing.T) {
	var log logged.Log
	e := serve(t, films("2.1.3"))
	line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Wants: map[string]string{"films": "^2"}, Log: zerolog.New(&log)})
	version := func(c *nodelayer.Conversation) string {
		t.Helper()
		v, err := call[string](t.Context(), c, "films.version", nil)
		if err != nil {
			t.Errorf("films.version: %v", err)
		}
		return v
	}
	begun := converse(t, line)
	if v := version(begun); v != "2.1.3" {
		t.Fatal(v)
	}

	if err := e.Offer(films("2.1.3"), films("2.2.0"), films("3.0.0")); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the adapter to be told", func() bool { return line.Resolved()["films"] == "2.2.0" })
	if v := version(begun); v != "2.1.3" {
		t.Errorf("a conversation under way has %s", v)
	}
	if v := version(converse(t, line)); v != "2.2.0" {
		t.Errorf("a new conversation has %s", v)
	}

	if err := e.Offer(films("2.1.4")); err != nil { // a version is withdrawn, another is left
		t.Fatal(err)
	}
	await.Until(t, "the adapter to be told", func() bool { return line.Resolved()["films"] == "2.1.4" })
	if v := version(begun); v != "2.1.3" {
		t.Errorf("a conversation under way has %s", v)
	}

	if err := e.Offer(films("3.0.0")); err != nil { // none is left
		t.Fatal(err)
	}
	await.Until(t, "the line to take nothing new", func() bool { return line.Resolved() == nil })
	want(t, errOf(call[string](context.Background(), converse(t, line), "films.version", nil)),
		protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at …", Retry: true})
	if v := version(begun); v != "2.1.3" {
		t.Errorf("a conversation under way has %s", v)
	}
	if why := `"reason":"wants films ^2, offered: 3.0.0"`; !strings.Contains(log.String(), why) {
		t.Errorf("the log does not say %s:\n%s", why, &log)
	}
	begun.Close()

	if err := e.Offer(films("2.3.0"), films("2.3.0")); err == nil || !strings.Contains(err.Error(), "declared twice") {
		t.Errorf("an offer that is wrong: %v", err)
	}
	if err := e.Offer(films("2.3.0")); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the line to be back", func() bool { return line.Resolved()["films"] == "2.3.0" })
	if v := version(converse(t, line)); v != "2.3.0" {
		t.Errorf("a new conversation has %s", v)
	}
}

// Offers that come fast, while conversations begin and end: each has a version
// that was offered, and the last is what all lines resolve to.
func TestVersionsMoveUnderLoad(t *testing.T) {
	e := serve(t, films("2.0.0"))
	line := dial(t, e.addr)
	stop := make(chan struct{})
	done := later(func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			c := line.Converse(context.Background())
			_, err := call[string](context.Background(), c, "films.version", nil)
			c.Close()
			if err != nil {
				return err
			}
		}
	})
	for i := range 50 {
		if err := e.Offer(films("2.0.0"), films("2."+string(rune('1'+i%9))+".0")); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Offer(films("9.0.0")); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the last offer", func() bool { return line.Resolved()["films"] == "9.0.0" })
	close(stop)
	if err := await.Value(t, "the load", done); err != nil {
		t.Error(err)
	}
}
