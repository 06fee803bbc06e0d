package line_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

func TestDialSaysHelloAndHearsWhatWasAgreed(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	hello := protocol.Hello{Name: "tv", Version: "1.0.0", Protocol: "^1", Wants: map[string]string{"films": "^2"}}
	l, err := line.Dial(await.Context(t), line.Target{Address: p.addr, Hello: hello})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Conn.Close()
	want := protocol.Welcome{Name: "peer", Version: "4.5.6", Protocol: protocol.Version, Resolved: map[string]string{"films": "2.1.3"}}
	if !reflect.DeepEqual(*l.Welcome(), want) || l.Codec != protocol.MsgPack {
		t.Errorf("got %+v in %s", l.Welcome(), l.Codec.MIME())
	}
	setup := (<-p.conns).Setup()
	if got, err := protocol.ParseHello(protocol.MsgPack, setup.Payload.Data); err != nil || !reflect.DeepEqual(got, hello) {
		t.Errorf("the hello is %+v, %v", got, err)
	}
	if setup.MetadataMIME != composite.MIME || setup.DataMIME != protocol.MIMEMsgPack {
		t.Errorf("the MIME types are %s and %s", setup.MetadataMIME, setup.DataMIME)
	}
	if setup.KeepAlive != 10*time.Second || setup.Lifetime != 30*time.Second {
		t.Errorf("keepalive %v, lifetime %v", setup.KeepAlive, setup.Lifetime)
	}
}

func TestTheDiallingSideAnswersToo(t *testing.T) {
	p := play(t, anyPort, rsocket.Handler{})
	h := rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		return rsocket.Payload{Data: append([]byte("you said "), p.Data...)}, nil
	}}
	l, err := line.Dial(await.Context(t), line.Target{Address: p.addr, Handler: h, KeepAlive: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Conn.Close()
	conn := <-p.conns
	if got, err := conn.Call(await.Context(t), rsocket.Payload{Data: []byte("hi")}); err != nil || string(got.Data) != "you said hi" {
		t.Errorf("got %q, %v", got.Data, err)
	}
	if s := conn.Setup(); s.KeepAlive != 2*time.Second || s.Lifetime != 6*time.Second {
		t.Errorf("keepalive %v, lifetime %v", s.KeepAlive, s.Lifetime)
	}
}

func TestWhatIsARefusal(t *testing.T) {
	refusal := protocol.Refusal{Code: protocol.Unsatisfied, Message: "wants films ^9, offered: 2.1.3"}
	for what, tc := range map[string]struct {
		says   rsocket.Error
		reason string // "" if it is none
	}{
		"REJECTED_SETUP with its JSON":      {rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}, "wants films ^9, offered: 2.1.3"},
		"REJECTED_SETUP by another program": {rsocket.Error{Code: frame.CodeRejectedSetup, Message: "go away"}, "go away"},
		"INVALID_SETUP":                     {rsocket.Error{Code: frame.CodeInvalidSetup, Message: "what?"}, "what?"},
		"UNSUPPORTED_SETUP":                 {rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: "no msgpack"}, "no msgpack"},
		"CONNECTION_ERROR":                  {rsocket.Error{Code: frame.CodeConnectionError, Message: "broken"}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			p := new(peer).serve(t, anyPort, func(context.Context, *rsocket.Conn) (rsocket.Handler, error) {
				return rsocket.Handler{}, &tc.says
			})
			_, err := line.Dial(await.Context(t), line.Target{Address: p.addr})
			refused, ok := errors.AsType[*line.RefusedError](err)
			switch {
			case tc.reason == "":
				if ok || err == nil {
					t.Errorf("got %v", err)
				}
			case !ok || refused.Reason != tc.reason || refused.Code != tc.says.Code || refused.Address != p.addr:
				t.Errorf("got %#v", err)
			case err.Error() != p.addr+" refused the line ("+tc.says.Code.String()+"): "+tc.reason:
				t.Errorf("the text is %s", err)
			}
		})
	}
}

func TestAnErrorOnTheStreamIsNoRefusal(t *testing.T) {
	p := new(peer).serve(t, anyPort, func(context.Context, *rsocket.Conn) (rsocket.Handler, error) {
		return rsocket.Handler{}, nil // answers nothing, so REJECTED
	})
	_, err := line.Dial(await.Context(t), line.Target{Address: p.addr})
	if _, refused := errors.AsType[*line.RefusedError](err); err == nil || refused {
		t.Errorf("got %v", err)
	}
}
