package main

import (
	"context"
	"fmt"

	"github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx/mono"
	"github.com/vmihailenco/msgpack/v5"
)

// deviceRequest is what a gateway asks on the route warmline.device: an HTTP
// request. It has "header" and "body" too, which this adapter does not need.
type deviceRequest struct {
	Method string `msgpack:"method"`
	Path   string `msgpack:"path"` // behind the app: "/home"
	Query  string `msgpack:"query"`
}

// deviceResponse is the answer. It may have "calls" too, for the gateway's log.
type deviceResponse struct {
	Status int                 `msgpack:"status"`
	Header map[string][]string `msgpack:"header,omitempty"`
	Body   []byte              `msgpack:"body,omitempty"`
}

// adapter answers device requests with what the edge knows.
type adapter struct {
	edge rsocket.RSocket
	busy busy
}

// responder is what the adapter's end of the gateway's line answers.
func (a *adapter) responder() rsocket.RSocket {
	return rsocket.NewAbstractSocket(rsocket.RequestResponse(func(p payload.Payload) mono.Mono {
		if !a.busy.enter() {
			return mono.Error(&failure{"unavailable", "this adapter is ending"})
		}
		request := payload.Clone(p) // p is only lent
		return newAnswer(func(ctx context.Context) (payload.Payload, error) {
			return a.answer(ctx, request)
		}, a.busy.leave)
	}))
}

// answer answers one request of the gateway's. What goes wrong with a device
// request is an answer too; an error is for requests that are not one.
func (a *adapter) answer(ctx context.Context, request payload.Payload) (payload.Payload, error) {
	raw, _ := request.Metadata()
	md, err := decodeMetadata(raw)
	if err != nil {
		return nil, &failure{"invalid_argument", err.Error()}
	}
	if md.route != "warmline.device" {
		return nil, &failure{"unknown_method", fmt.Sprintf("%.80q: an adapter answers warmline.device", md.route)}
	}
	var in deviceRequest
	if err := decode(request.Data(), &in); err != nil {
		return nil, &failure{"invalid_argument", "the device request: " + err.Error()}
	}
	if md.budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, md.budget)
		defer cancel()
	}
	out, changed := a.device(ctx, md, in)
	data, err := msgpack.Marshal(out)
	if err != nil {
		return nil, err
	}
	// A passport that a service has changed goes back up with the answer.
	return payload.New(data, metadata{passport: changed}.encode()), nil
}

// device answers a device request, and tells the changed passport if there is one.
func (a *adapter) device(ctx context.Context, md metadata, in deviceRequest) (out deviceResponse, changed []byte) {
	if in.Method != "GET" || in.Path != "/home" {
		f := &failure{"not_found", fmt.Sprintf("%s %.80q: this adapter has GET /home", in.Method, in.Path)}
		return f.response(), nil
	}
	c := a.converse(ctx, md)
	defer c.close()
	page, err := home(ctx, c)
	if err != nil {
		return asFailure(err).response(), c.changedPassport()
	}
	return jsonResponse(200, page), c.changedPassport()
}
