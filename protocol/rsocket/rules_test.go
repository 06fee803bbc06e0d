package rsocket

import (
	"context"
	"io"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// The rules of the specification that one peer can show to another, each as the
// raw frames that a client sends to the echo server and the frames that come
// back. Where nothing is to come back, the request that follows shows that the
// connection goes on.
func TestServerFollowsTheRules(t *testing.T) {
	var (
		setup    = setupFrame()
		resume   = frame.AppendResume(nil, frame.Resume{Token: []byte("t")})
		alive    = frame.AppendRequest(nil, 99, frame.TypeRequestResponse, 0, nil, []byte("alive"))
		isAlive  = "PAYLOAD 99 NC alive"
		raw      = func(b ...byte) []byte { return b }
		channel1 = frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 10, nil, []byte("a"))
		next     = func(id uint32, s string) []byte { return frame.AppendPayload(nil, id, frame.FlagNext, nil, []byte(s)) }
		complete = func(id uint32) []byte { return frame.AppendPayload(nil, id, frame.FlagComplete, nil, nil) }
		flagged  = func(f frame.Flags) []byte {
			return frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: time.Second, Token: nil}, f, nil, nil)
		}
	)
	for _, tt := range []struct {
		rule string
		in   [][]byte
		out  []string
		may  string // comes or not, in any place: another stream's frame that races
	}{
		{"the first frame is SETUP", [][]byte{alive}, []string{"ERROR 0 INVALID_SETUP the first frame is REQUEST_RESPONSE on stream 99…", "EOF"}, ""},
		{"RESUME is refused with its own code", [][]byte{resume}, []string{"ERROR 0 REJECTED_RESUME resumption is not supported", "EOF"}, ""},
		{"SETUP belongs on stream 0", [][]byte{append(raw(0, 0, 0, 1), setup[4:]...)}, []string{"ERROR 0 INVALID_SETUP…", "EOF"}, ""},
		{"another major version is not spoken", [][]byte{append(append(append([]byte{}, setup[:6]...), 0, 2, 0, 0), setup[10:]...)}, []string{"ERROR 0 UNSUPPORTED_SETUP RSocket version 2.0, expected 1.x", "EOF"}, ""},
		{"another minor version is", [][]byte{append(append(append([]byte{}, setup[:6]...), 0, 1, 0, 9), setup[10:]...), alive}, []string{isAlive}, ""},
		{"keepalive and lifetime are positive", [][]byte{append(append(append([]byte{}, setup[:10]...), 0, 0, 0, 0), setup[14:]...)}, []string{"ERROR 0 INVALID_SETUP SETUP frame: keepalive…", "EOF"}, ""},
		{"a MIME length past the frame", [][]byte{append(append([]byte{}, setup[:18]...), 200, 'a')}, []string{"ERROR 0 INVALID_SETUP SETUP frame: the metadata MIME type runs past…", "EOF"}, ""},
		{"leases are not supported", [][]byte{flagged(frame.FlagLease)}, []string{"ERROR 0 UNSUPPORTED_SETUP leases…", "EOF"}, ""},
		{"a frame shorter than its header", [][]byte{raw(0, 0)}, []string{"ERROR 0 INVALID_SETUP…", "EOF"}, ""},
		{"a later SETUP is ignored", [][]byte{setup, setup, alive}, []string{isAlive}, ""},
		{"a RESUME that is no such frame is refused with its code too", [][]byte{raw(0, 0, 0, 0, 0x34, 0, 0, 1, 0, 0)}, []string{"ERROR 0 REJECTED_RESUME RESUME frame: 4 bytes…", "EOF"}, ""},
		{"RESUME after SETUP", [][]byte{setup, resume}, []string{"ERROR 0 CONNECTION_ERROR RESUME after SETUP", "EOF"}, ""},

		{"a reply", [][]byte{setup, alive}, []string{isAlive}, ""},
		{"KEEPALIVE is answered, its data echoed", [][]byte{setup, frame.AppendKeepAlive(nil, true, 7, []byte("ping"))}, []string{"KEEPALIVE 0 ping"}, ""},
		{"its answer is not", [][]byte{setup, frame.AppendKeepAlive(nil, false, 7, []byte("pong")), alive}, []string{isAlive}, ""},
		{"an unknown type that may be ignored", [][]byte{setup, raw(0, 0, 0, 0, 0x3F<<2|2, 0), alive}, []string{isAlive}, ""},
		{"an unknown type that may not", [][]byte{setup, raw(0, 0, 0, 0, 0x30<<2, 0)}, []string{"ERROR 0 CONNECTION_ERROR type 0x30 is not known…", "EOF"}, ""},
		{"a metadata length past the frame", [][]byte{setup, raw(0, 0, 0, 1, 0x11, 0, 0xFF, 0xFF, 0xFF, 'x')}, []string{"ERROR 0 CONNECTION_ERROR REQUEST_RESPONSE frame: metadata length 16777215 runs past…", "EOF"}, ""},
		{"the same where the Ignore flag is set", [][]byte{setup, raw(0, 0, 0, 1, 0x13, 0, 0xFF, 0xFF, 0xFF, 'x'), alive}, []string{isAlive}, ""},
		{"a frame shorter than its header, later", [][]byte{setup, raw(0, 0, 0)}, []string{"ERROR 0 CONNECTION_ERROR…", "EOF"}, ""},
		{"a request on stream 0", [][]byte{setup, frame.AppendRequest(nil, 0, frame.TypeRequestResponse, 0, nil, nil)}, []string{"ERROR 0 CONNECTION_ERROR REQUEST_RESPONSE on stream 0", "EOF"}, ""},
		{"a request on an id of the other side", [][]byte{setup, frame.AppendRequest(nil, 2, frame.TypeRequestResponse, 0, nil, nil)}, []string{"ERROR 0 CONNECTION_ERROR REQUEST_RESPONSE on stream 2…", "EOF"}, ""},
		{"KEEPALIVE on a stream", [][]byte{setup, raw(0, 0, 0, 1, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0, 0)}, []string{"ERROR 0 CONNECTION_ERROR KEEPALIVE on stream 1…", "EOF"}, ""},
		{"METADATA_PUSH on a stream is ignored", [][]byte{setup, raw(0, 0, 0, 1, 0x31, 0, 'm'), alive}, []string{isAlive}, ""},
		{"frames for an unknown id are ignored", [][]byte{setup, frame.AppendCancel(nil, 5), next(5, "x"), frame.AppendRequestN(nil, 5, 1), frame.AppendError(nil, 5, frame.CodeInvalid, ""), alive}, []string{isAlive}, ""},
		{"frames of a stream on stream 0 are ignored", [][]byte{setup, frame.AppendCancel(nil, 0), next(0, "x"), frame.AppendRequestN(nil, 0, 1), alive}, []string{isAlive}, ""},
		{"a stream's code on stream 0 is ignored", [][]byte{setup, frame.AppendError(nil, 0, frame.CodeApplication, ""), alive}, []string{isAlive}, ""},
		{"what is not served is REJECTED", [][]byte{setup, frame.AppendRequestMany(nil, 1, frame.TypeRequestStream, 0, 1, nil, nil)}, []string{"ERROR 1 REJECTED REQUEST_STREAM is not served here"}, ""},
		{"and says nothing to fire-and-forget", [][]byte{setup, frame.AppendRequest(nil, 1, frame.TypeRequestFNF, 0, nil, nil), alive}, []string{isAlive}, ""},
		{"REQUEST_N of 0", [][]byte{setup, channel1, raw(0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0)}, []string{"REQUEST_N 1 n=4", "ERROR 0 CONNECTION_ERROR REQUEST_N frame: request n is 0, expected 1 to 2^31-1", "EOF"}, "PAYLOAD 1 N a"},

		{"a channel grants its window, echoes and completes", [][]byte{setup, channel1, next(1, "b"), complete(1)}, []string{"REQUEST_N 1 n=4", "PAYLOAD 1 N a", "PAYLOAD 1 N b", "PAYLOAD 1 C"}, ""},
		{"an item and the end in one frame", [][]byte{setup, channel1, frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagComplete, nil, []byte("b"))}, []string{"REQUEST_N 1 n=4", "PAYLOAD 1 N a", "PAYLOAD 1 N b", "PAYLOAD 1 C"}, ""},
		{"a channel that completes in its request", [][]byte{setup, frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, frame.FlagComplete, 5, nil, []byte("a"))}, []string{"PAYLOAD 1 N a", "PAYLOAD 1 C"}, ""},
		{"CANCEL of the requester ends both halves", [][]byte{setup, frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, []byte("a")), frame.AppendCancel(nil, 1), next(1, "b"), alive}, []string{"REQUEST_N 1 n=4", isAlive}, "PAYLOAD 1 N a"},
		{"an id in use is ignored", [][]byte{setup, channel1, frame.AppendRequest(nil, 1, frame.TypeRequestResponse, 0, nil, []byte("again")), alive}, []string{"REQUEST_N 1 n=4", isAlive}, "PAYLOAD 1 N a"},
		{"a request in fragments", [][]byte{setup, frame.AppendRequest(nil, 1, frame.TypeRequestResponse, frame.FlagFollows, []byte("m"), nil), frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagFollows, []byte("n"), []byte("a")), frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("b"))}, []string{"PAYLOAD 1 NC [mn] ab"}, ""},
		{"CONNECTION_CLOSE with nothing under way ends it", [][]byte{setup, frame.AppendError(nil, 0, frame.CodeConnectionClose, "")}, []string{"EOF"}, ""},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			overEach(t, func(t *testing.T, scheme string) {
				l, addr := listen(t, scheme)
				serveAt(t, l, answering(echo()), Config{Window: 4})
				p := dialRaw(t, addr)
				p.write(tt.in...)
				if tt.may == "" {
					p.want(tt.out...)
				} else {
					wantAnyOrder(t, p, tt.out, tt.may)
				}
			})
		})
	}
}

// wantAnyOrder is for streams that race each other: all of want must come, and
// meanwhile what may.
func wantAnyOrder(t *testing.T, p *peer, want []string, may string) {
	t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[w] = true
	}
	for len(missing) > 0 {
		got := p.read()
		if !missing[got] && got != may {
			t.Fatalf("got %s, want one of %q", got, want)
		}
		delete(missing, got)
	}
}

func TestRequesterSendsNothingBeforeItHasCredit(t *testing.T) {
	overEach(t, func(t *testing.T, scheme string) {
		c, p := rawServerOver(t, scheme, Handler{}, Config{Window: 7})
		ch, err := c.OpenChannel(t.Context(), text("first"))
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan error, 3)
		go func() {
			for _, s := range []string{"a", "b", "c"} {
				sent <- ch.Send(context.Background(), text(s))
			}
		}()
		p.want("REQUEST_CHANNEL 1 n=7 first")
		p.write(frame.AppendKeepAlive(nil, true, 0, nil)) // its answer would come behind an item
		p.want("KEEPALIVE 0")
		p.write(frame.AppendRequestN(nil, 1, 2))
		p.want("PAYLOAD 1 N a", "PAYLOAD 1 N b")
		p.write(frame.AppendKeepAlive(nil, true, 0, nil))
		p.want("KEEPALIVE 0")
		p.write(frame.AppendRequestN(nil, 1, 1<<31-1), frame.AppendRequestN(nil, 1, 1<<31-1)) // cumulative, saturating
		p.want("PAYLOAD 1 N c")
		for range 3 {
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestResponderThatCancelsEndsOnlyWhatIsSentToIt(t *testing.T) {
	overEach(t, func(t *testing.T, scheme string) {
		c, p := rawServerOver(t, scheme, Handler{}, Config{})
		ch, err := c.OpenChannel(t.Context(), text("first"))
		if err != nil {
			t.Fatal(err)
		}
		p.want("REQUEST_CHANNEL 1 n=32 first")
		p.write(frame.AppendRequestN(nil, 1, 5), frame.AppendCancel(nil, 1), frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("still")))
		if got, err := ch.Recv(t.Context()); err != nil || string(got.Data) != "still" {
			t.Fatalf("got %q, %v", got.Data, err)
		}
		if err := ch.Send(t.Context(), text("x")); err != ErrCanceled {
			t.Errorf("Send: %v", err)
		}
		p.write(frame.AppendPayload(nil, 1, frame.FlagComplete, nil, nil))
		if _, err := ch.Recv(t.Context()); err != io.EOF {
			t.Errorf("Recv: %v", err)
		}
		await.Until(t, "the stream is free", func() bool { return c.InFlight() == 0 })
	})
}

func TestErrorEndsAChannelAfterWhatArrived(t *testing.T) {
	overEach(t, func(t *testing.T, scheme string) {
		c, p := rawServerOver(t, scheme, Handler{}, Config{})
		ch, err := c.OpenChannel(t.Context(), text("first"))
		if err != nil {
			t.Fatal(err)
		}
		p.want("REQUEST_CHANNEL 1 n=32 first")
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("last")), frame.AppendError(nil, 1, frame.CodeApplication, "gone"))
		if got, err := ch.Recv(t.Context()); err != nil || string(got.Data) != "last" {
			t.Fatalf("got %q, %v", got.Data, err)
		}
		_, err = ch.Recv(t.Context())
		if e, ok := err.(*Error); !ok || e.Code != frame.CodeApplication || !e.Remote {
			t.Errorf("Recv: %v", err)
		}
		if e, ok := ch.Send(t.Context(), text("x")).(*Error); !ok || e.Message != "gone" {
			t.Errorf("Send: %v", e)
		}
	})
}

func TestCreditIsGivenBackAsItemsAreTaken(t *testing.T) {
	overEach(t, func(t *testing.T, scheme string) {
		c, p := rawServerOver(t, scheme, Handler{}, Config{Window: 4})
		ch, err := c.OpenChannel(t.Context(), text("first"))
		if err != nil {
			t.Fatal(err)
		}
		p.want("REQUEST_CHANNEL 1 n=4 first")
		item := frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("i"))
		p.write(item, item, item, item)
		for range 4 {
			if _, err := ch.Recv(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		p.want("REQUEST_N 1 n=2", "REQUEST_N 1 n=2")
		ch.Cancel()
		p.want("CANCEL 1")
		if _, err := ch.Recv(t.Context()); err != ErrCanceled {
			t.Errorf("Recv after Cancel: %v", err)
		}
	})
}

func TestClientIgnoresWhatItNeedNotUnderstand(t *testing.T) {
	overEach(t, func(t *testing.T, scheme string) {
		c, p := rawServerOver(t, scheme, echo(), Config{})
		p.write(
			[]byte{0, 0, 0, 0, 0x3F<<2 | 2, 0},
			frame.AppendRequest(nil, 2, frame.TypeRequestResponse, 0, nil, []byte("up")),
		)
		p.want("PAYLOAD 2 NC up")
		p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, nil)) // our half of the ids
		p.want("ERROR 0 CONNECTION_ERROR…", "EOF")
		<-c.Done()
	})
}
