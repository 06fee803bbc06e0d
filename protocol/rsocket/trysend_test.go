package rsocket

import (
	"context"
	"errors"
	"io"
	"testing"

	"warmline.dev/internal/await"
)

// What can't leave at once, whole, is left to Send.
func TestTrySendSendsWhatNeedsNoWait(t *testing.T) {
	const window = 3
	_, addr := startServer(t, Handler{Channel: func(ctx context.Context, ch Channel) error {
		try := func(p Payload, want bool) {
			if sent, err := ch.(TrySender).TrySend(p); sent != want || err != nil {
				t.Errorf("%d bytes: %v, %v, want %v", p.size(), sent, err, want)
			}
		}
		for _, n := range []string{"0", "1", "2"} {
			try(text(n), true)
		}
		try(text("no credit"), false)
		if err := ch.Send(ctx, text("3")); err != nil { // when the peer has taken some
			t.Error(err)
		}
		if _, err := ch.Recv(ctx); err != nil {
			t.Error(err)
		}
		_, _ = ch.Recv(ctx) // by now the peer has taken all
		try(Payload{Metadata: []byte("m"), Data: []byte("4")}, true)
		if err := ch.CloseSend(); err != nil {
			t.Error(err)
		}
		if sent, err := ch.(TrySender).TrySend(text("late")); sent || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("behind the end: %v, %v", sent, err)
		}
		return nil
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{Window: window})
	ch, err := c.OpenChannel(t.Context(), text("go"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if p, err := ch.Recv(await.Context(t)); err != nil || string(p.Data) != string(rune('0'+n)) {
			t.Fatalf("item %d is %q, %v", n, p.Data, err)
		}
	}
	if err := ch.Send(t.Context(), text("all taken")); err != nil {
		t.Fatal(err)
	}
	if p, err := ch.Recv(await.Context(t)); err != nil || string(p.Data) != "4" || string(p.Metadata) != "m" {
		t.Fatalf("%q %q, %v", p.Metadata, p.Data, err)
	}
	if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
	ch.Cancel()
}

func TestTrySendLeavesToSendWhatIsLarge(t *testing.T) {
	for why, tt := range map[string]struct {
		size int
		cfg  Config
	}{
		"it would be cut":                    {100, Config{Fragment: 100}},
		"it is written from where it stands": {asideFrom, Config{}},
		"it is too large":                    {1001, Config{MaxPayload: 1000}},
	} {
		_, addr := startServer(t, Handler{Channel: func(_ context.Context, ch Channel) error {
			if sent, err := ch.(TrySender).TrySend(Payload{Data: make([]byte, tt.size)}); sent || err != nil {
				t.Errorf("%s: %v, %v", why, sent, err)
			}
			return nil
		}}, tt.cfg)
		ch, err := dial(t, addr, Handler{}, Config{}).OpenChannel(t.Context(), text("go"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", why, err)
		}
		ch.Cancel()
	}
}
