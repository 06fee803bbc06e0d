package rsocketgo

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"warmline.dev/protocol/rsocket"
)

// Every field is honoured or refused: one that is added to rsocket.Config has to
// be decided about.
func TestEveryFieldOfAConfigIsHonouredOrRefused(t *testing.T) {
	honoured := []string{"MaxFrame", "MaxPayload", "MaxReassembly", "MaxStreams", "Window", "MaxUnread", "MaxConns", "FirstFrameTimeout", "MaxLifetime", "WriteTimeout", "TLS"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[rsocket.Config]()) {
		refuses := slices.ContainsFunc(refused, func(r struct {
			field string
			set   func(*rsocket.Config) bool
			why   string
		},
		) bool {
			return r.field == f.Name
		})
		if refuses == slices.Contains(honoured, f.Name) {
			t.Errorf("%s: honoured and refused, or neither", f.Name)
		}
		if !refuses {
			continue
		}
		var cfg rsocket.Config
		field := reflect.ValueOf(&cfg).Elem().FieldByIndex(f.Index)
		if field.CanInt() {
			field.SetInt(1)
		} else {
			field.Set(reflect.ValueOf(func() int { return 1 }))
		}
		_, dialErr := Dial(t.Context(), "tcp://127.0.0.1:1", rsocket.Setup{}, rsocket.Handler{}, cfg)
		_, serverErr := NewServer(nil, cfg)
		for _, err := range []error{dialErr, serverErr} {
			if err == nil || !strings.Contains(err.Error(), f.Name+" is set and can't be honoured: ") {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	}
}

func TestBadConfigIsNamed(t *testing.T) {
	if _, err := NewServer(nil, rsocket.Config{Window: -1}); err == nil || !strings.Contains(err.Error(), "Window is -1") {
		t.Errorf("config: %v", err)
	}
	if _, err := Client(nil, rsocket.Setup{KeepAlive: 1}, rsocket.Handler{}, rsocket.Config{}); err == nil || !strings.Contains(err.Error(), "keepalive 1ns") {
		t.Errorf("setup: %v", err)
	}
	if _, err := Dial(t.Context(), "http://x:1", rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{}); err == nil || !strings.Contains(err.Error(), "expected tcp://HOST:PORT") {
		t.Errorf("address: %v", err)
	}
	large := rsocket.Setup{Payload: rsocket.Payload{Data: make([]byte, 200)}}
	if _, err := Client(nil, large, rsocket.Handler{}, rsocket.Config{MaxFrame: 200}); !errors.Is(err, rsocket.ErrTooLarge) {
		t.Errorf("SETUP: %v", err)
	}
}

func TestNoStreamsAreTakenIfSo(t *testing.T) {
	_, p := rawClient(t, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
		return rsocket.Payload{}, nil
	}}, rsocket.Config{MaxStreams: -1})
	p.write(setupFrame(), request(1, ""))
	p.want("ERROR 1 REJECTED 0 requests are being answered, at most 0 are taken")
}
