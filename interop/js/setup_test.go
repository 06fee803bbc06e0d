package js

import (
	"errors"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

func TestTheirSetupArrives(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := dialled(t, l, terms{}, "serve", options{"setup": options{
				"dataMIME": "application/x.data", "metadataMIME": "application/x.metadata",
				"data": "wants what", "metadata": "who", "keepAlive": 5000, "lifetime": 7000,
			}})
			want(t, p.conn.Setup(), rsocket.Setup{
				KeepAlive: 5 * time.Second, Lifetime: 7 * time.Second,
				DataMIME: "application/x.data", MetadataMIME: "application/x.metadata",
				Payload: message{"wants what", "who"}.payload(),
			})
		})
	}
}

func TestOurSetupArrives(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			declared := rsocket.Setup{DataMIME: "application/x.data", MetadataMIME: "application/x.metadata"}
			declared.Payload.Metadata = []byte("who")
			got := dial(t, l, terms{setup: declared}, nil).saw("setup") // which knows its connection by what came as data
			want(t, got.Metadata, "who")
			if !l.noMIME {
				want(t, got.DataMIME+" "+got.MetadataMIME, "application/x.data application/x.metadata")
			}
		})
	}
}

func TestWeRejectSetup(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want failure
	}{
		"by any error": {errors.New("not today"), failure{uint32(frame.CodeRejectedSetup), "not today"}},
		"by a code": {
			&rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: "not like this"},
			failure{uint32(frame.CodeUnsupportedSetup), "not like this"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range libraries {
				t.Run(l.name, func(t *testing.T) {
					address := serve(t, terms{}, func(*rsocket.Conn) (rsocket.Handler, error) { return rsocket.Handler{}, c.err })
					p := &pair{t: t, program: runClient(t, l, terms{}, address, "closed", nil)}
					want(t, p.result().Closed, &c.want)
				})
			}
		})
	}
}

func TestTheyRejectSetup(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := dial(t, l, terms{}, options{"reject": "not today"})
			await.Value(t, "the end", p.conn.Done())
			want(t, remote(p.conn.Err()), failure{uint32(frame.CodeRejectedSetup), l.rejectPrefix + "not today"})
			if _, err := p.conn.Call(t.Context(), rsocket.Payload{}); !errors.Is(err, rsocket.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
}
