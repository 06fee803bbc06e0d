package nodelayer_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// bomb is a msgpack array that claims 2³² - 1 elements.
const bomb = "\xdd\xff\xff\xff\xff"

// saying is an edge that takes the first call of a conversation, and then says
// what it is told to.
func saying(t testing.TB, say func(ctx context.Context, ch rsocket.Channel) error) *nodelayer.Edge {
	return dial(t, playEdge(t, rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
		if _, err := ch.Recv(ctx); err != nil {
			return err
		}
		return say(ctx, ch)
	}}).addr)
}

func TestAConversationWithAnEdgeThatTalksNonsense(t *testing.T) {
	for what, payload := range map[string]string{
		"a bomb":                        bomb,
		"a bomb as the result":          "\x93\x03\x01" + bomb,
		"a byte that msgpack lacks":     "\xc1",
		"no array":                      "\x01",
		"an empty array":                "\x90",
		"a reply that breaks off":       "\x93\x03\x01",
		"a reply of two elements":       "\x92\x03\x01",
		"a failure of three elements":   "\x93\x04\x01\xa8internal",
		"a failure whose retry is text": "\x95\x04\x01\xa8internal\xa1?\xa2no",
		"text":                          "HTTP/1.1 400 Bad Request\r\n\r\n",
		"garbage behind a good reply":   "\x93\x03\x63\x01\xc1",
	} {
		t.Run(what, func(t *testing.T) {
			gone := make(chan error, 1)
			e := saying(t, func(ctx context.Context, ch rsocket.Channel) error {
				err := ch.Send(ctx, rsocket.Payload{Data: []byte(payload)})
				if err == nil {
					_, err = ch.Recv(ctx)
				}
				gone <- err
				return err
			})
			c := converse(t, e)
			nonsense := protocol.Error{Code: protocol.Internal, Message: "the edge sent a malformed …"}
			want(t, errOf(call[int](context.Background(), c, "a.b", 1)), nonsense)
			want(t, errOf(call[int](context.Background(), c, "a.b", 2)), nonsense) // the conversation is over
			if err := await.Value(t, "the edge to be told", gone); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("the edge heard %v, want that the conversation is cancelled", err)
			}
		})
	}
}

func TestAConversationThatTheEdgeEnds(t *testing.T) {
	for what, tc := range map[string]struct {
		say  func(ctx context.Context, ch rsocket.Channel) error
		want protocol.Error
	}{
		"without an answer": {
			func(context.Context, rsocket.Channel) error { return nil },
			protocol.Error{Code: protocol.Internal, Message: "the edge ended the conversation without an answer"},
		},
		"with an error of Warmline's": {
			func(context.Context, rsocket.Channel) error {
				return protocol.Errorf(protocol.Forbidden, "not you").Frame()
			},
			protocol.Error{Code: protocol.Forbidden, Message: "not you", Remote: true},
		},
		"refused before any work": {
			func(context.Context, rsocket.Channel) error {
				return &rsocket.Error{Code: frame.CodeRejected, Message: "full"}
			},
			protocol.Error{Code: protocol.Overloaded, Message: "full", Remote: true, Retry: true},
		},
		"with an error of another world": {
			func(context.Context, rsocket.Channel) error {
				return &rsocket.Error{Code: 0x12345, Message: "?"}
			},
			protocol.Error{Code: protocol.Unknown, Message: "?", Remote: true},
		},
		"with a plain error": {
			func(context.Context, rsocket.Channel) error { return errors.New("it broke") },
			protocol.Error{Code: protocol.Internal, Message: "it broke", Remote: true},
		},
	} {
		t.Run(what, func(t *testing.T) {
			c := converse(t, saying(t, tc.say))
			want(t, errOf(call[int](context.Background(), c, "a.b", 1)), tc.want)
		})
	}
}

func TestWhatNobodyAskedForIsPassedOver(t *testing.T) {
	e := saying(t, func(ctx context.Context, ch rsocket.Channel) error {
		for _, payload := range []string{
			"\x93\x03\x63\x07",                 // the reply to call 99
			"\x95\x04\x62\xa1?\xa1?\xc2",       // the failure of call 98
			"\x94\x01\x01\xa3a.b\xc0",          // a call
			"\x92\x02\x01",                     // a cancel
			"\x93\x05\x01\x07",                 // a part
			"\x93\x63\x01\x07",                 // a kind that is new
			"",                                 // nothing
			"\x93\x03\x01\x2a\x93\x03\x01\x2b", // the answer, twice
		} {
			if err := ch.Send(ctx, rsocket.Payload{Data: []byte(payload)}); err != nil {
				return err
			}
		}
		_, err := ch.Recv(ctx)
		return err
	})
	if got, err := call[int](context.Background(), converse(t, e), "a.b", 1); got != 42 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestAnUnknownCodeIsUnknown(t *testing.T) {
	e := saying(t, func(ctx context.Context, ch rsocket.Channel) error {
		return ch.Send(ctx, rsocket.Payload{Data: []byte("\x95\x04\x01\xa5novel\xa4text\xc3")})
	})
	want(t, errOf(call[int](context.Background(), converse(t, e), "a.b", 1)),
		protocol.Error{Code: protocol.Unknown, Message: "text", Remote: true, Retry: true})
}

func TestASingleCallToAnEdgeThatTalksNonsense(t *testing.T) {
	for what, tc := range map[string]struct {
		answer rsocket.Payload
		want   string
	}{
		"a bomb":                     {rsocket.Payload{Data: []byte(bomb)}, "the result of a.b does not fit *int: malformed …"},
		"nothing":                    {rsocket.Payload{}, "the result of a.b does not fit *int: malformed …"},
		"two values":                 {rsocket.Payload{Data: []byte("\x01\x02")}, "the result of a.b does not fit *int: malformed …"},
		"metadata of a false length": {rsocket.Payload{Metadata: []byte("\x05x/pass\xff\xff\xff?"), Data: []byte("\x01")}, "the answer to a.b: malformed metadata…"},
	} {
		t.Run(what, func(t *testing.T) {
			b := playEdge(t, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
				return tc.answer, nil
			}})
			carrier := passport.NewCarrier([]byte("before"))
			ctx := passport.NewContext(context.Background(), carrier)
			want(t, errOf(askInt(ctx, dial(t, b.addr), "a.b", 1)), protocol.Error{Code: protocol.Internal, Message: tc.want})
			if carrier.Changed() {
				t.Error("the passport was replaced")
			}
		})
	}
}

func TestAPeerThatIsNoEdgeIsTriedAgainUntilTheContextEnds(t *testing.T) {
	b := playRaw(t, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
		return rsocket.Payload{Data: []byte(bomb)}, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-b.conns
		<-b.conns
		cancel()
	}()
	_, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: []string{b.addr}})
	if err == nil || !wildcard.Match(err.Error(), "nodelayer: edge "+b.addr+": …") {
		t.Errorf("got %v", err)
	}
}
