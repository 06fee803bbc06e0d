package interop

import (
	"errors"
	"testing"

	rsocketgo "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/payload"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var declared = setup{"application/x.metadata", "application/x.data", "who", "wants what"}

var rejected = refused{uint32(frame.CodeRejectedSetup), "not today"}

func TestTheirSetupArrives(t *testing.T) {
	got := make(chan setup, 1)
	address := serveOurs(t, func(conn *rsocket.Conn) (rsocket.Handler, error) {
		s := conn.Setup()
		got <- setup{s.MetadataMIME, s.DataMIME, string(s.Payload.Metadata), string(s.Payload.Data)}
		return rsocket.Handler{}, nil
	})
	dialGo(t, address, declare(connect(newWitness())))
	if s := take(t, "SETUP", got); s != declared {
		t.Errorf("got %q, want %q", s, declared)
	}
}

func TestOurSetupArrives(t *testing.T) {
	got := make(chan setup, 1)
	address := serveGo(t, func(s setup, _ rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
		got <- s
		return goResponder(newWitness()), nil
	})
	dialOurs(t, address, rsocket.Handler{}, ourSetup())
	if s := take(t, "SETUP", got); s != declared {
		t.Errorf("got %q, want %q", s, declared)
	}
}

func TestWeRejectSetup(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want refused
	}{
		"by any error": {errors.New("not today"), rejected},
		"by a code":    {&rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: "not like this"}, refused{uint32(frame.CodeUnsupportedSetup), "not like this"}},
	} {
		t.Run(name, func(t *testing.T) {
			address := serveOurs(t, func(*rsocket.Conn) (rsocket.Handler, error) { return rsocket.Handler{}, c.err })
			over := make(chan error, 1)
			w := newWitness()
			client := dialGo(t, address, declare(connect(w)).OnClose(func(err error) { over <- err }))
			if err := take(t, "the end", over); told(err) != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
			wantGone(t, &goEnd{w, t, client})
		})
	}
}

func TestTheyRejectSetup(t *testing.T) {
	address := serveGo(t, func(setup, rsocketgo.CloseableRSocket) (rsocketgo.RSocket, error) {
		return nil, errors.New(rejected.text)
	})
	conn := dialOurs(t, address, rsocket.Handler{}, ourSetup())
	take(t, "the end", conn.Done())
	if got := told(conn.Err()); got != rejected {
		t.Errorf("got %v, want %v", conn.Err(), rejected)
	}
	wantGone(t, &ourEnd{newWitness(), conn})
}

func declare(b rsocketgo.ClientBuilder) rsocketgo.ClientBuilder {
	return b.MetadataMimeType(declared.metadataMIME).DataMimeType(declared.dataMIME).
		SetupPayload(payload.New([]byte(declared.data), []byte(declared.metadata)))
}

func ourSetup() rsocket.Setup {
	return rsocket.Setup{
		MetadataMIME: declared.metadataMIME, DataMIME: declared.dataMIME,
		Payload: rsocket.Payload{Metadata: []byte(declared.metadata), Data: []byte(declared.data)},
	}
}
