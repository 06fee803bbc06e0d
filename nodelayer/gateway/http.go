package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	pathpkg "path"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// exchange is one device request on its way.
type exchange struct {
	s       *Server
	r       *http.Request
	trace   string
	device  device.Type
	adapter *adapter // nil until one is picked
	minted  []byte   // the sealed passport
	answer  protocol.DeviceResponse
	changed []byte           // the sealed passport, if a service changed it
	history passport.History // of that
}

// ServeHTTP answers a device.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		s.index(w)
		return
	}
	start := time.Now()
	x := &exchange{s: s, r: r, trace: r.Header.Get("Traceparent"), device: s.cfg.Devices.Lookup(r.Header.Get("ESN"), r.UserAgent())}
	if !protocol.ValidTraceparent(x.trace) {
		x.trace = protocol.NewTraceparent()
	}
	err := x.run(w)
	status := x.answer.Status
	if err == nil {
		err = x.passportBack(w)
	}
	if err != nil {
		status = err.Code.HTTPStatus()
		x.writeError(w, err)
	} else {
		x.write(w)
	}
	took := time.Since(start)
	s.counts.add(x.device.Category, status, took)
	x.log(status, took, err)
}

func (s *Server) index(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"adapters": s.table.list()}) // a device that has gone needs no answer
}

// run sends the request down an adapter's line and takes the answer.
func (x *exchange) run(w http.ResponseWriter) *protocol.Error {
	app, rng, path := split(x.r.URL.Path)
	if _, refusal := x.s.table.pick(app, rng); refusal != nil {
		return refusal // before the body is read
	}
	body, refusal := x.body()
	if refusal != nil {
		return refusal
	}
	if err := x.mint(w); err != nil {
		return protocol.AsError(err)
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), x.s.cfg.Budget)
	defer cancel()
	request := &protocol.DeviceRequest{
		Method: x.r.Method, Path: path, Query: x.r.URL.RawQuery, Header: contentHeaders(x.r.Header), Body: body,
	}
	var lost error
	for {
		a, refusal := x.s.table.pick(app, rng)
		if refusal != nil && lost != nil {
			return x.explain(ctx, lost) // of the last of them
		}
		if refusal != nil {
			return refusal
		}
		x.adapter = a
		reply, err := x.send(ctx, request)
		switch {
		case x.notDone(err):
			continue // safe, and this line is not picked again
		case errors.Is(err, rsocket.ErrClosed) && safe(x.r.Method) && ctx.Err() == nil:
			lost = err
			continue // the answer has not begun, and neither is this one
		case err != nil:
			return x.explain(ctx, err)
		}
		return x.take(reply)
	}
}

// safe reports whether a request may be made twice (RFC 9110, 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// notDone reports whether the adapter has not begun, because it is going.
func (x *exchange) notDone(err error) bool {
	e := protocol.AsError(err)
	return errors.Is(err, rsocket.ErrDraining) || e != nil && e.Code == protocol.Overloaded && x.adapter.conn.Draining()
}

func (x *exchange) send(ctx context.Context, request *protocol.DeviceRequest) (rsocket.Payload, error) {
	deadline, _ := ctx.Deadline()
	md := protocol.Metadata{Route: protocol.RouteDevice, Passport: x.minted, Traceparent: x.trace, Budget: time.Until(deadline)}
	data, err := x.adapter.codec.Marshal(request)
	if err != nil {
		return rsocket.Payload{}, err
	}
	return x.adapter.conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: data})
}

// take reads the adapter's answer.
func (x *exchange) take(reply rsocket.Payload) *protocol.Error {
	back, err := protocol.ParseMetadata(reply.Metadata)
	if err == nil {
		err = x.adapter.codec.Unmarshal(reply.Data, &x.answer)
	}
	if err != nil || x.answer.Status < 200 || x.answer.Status > 599 {
		return protocol.Errorf(protocol.Internal, "adapter %s answered what can't be read", x.adapter)
	}
	x.changed = back.Passport
	return nil
}

// explain tells a device what went wrong on the line, in the gateway's words.
func (x *exchange) explain(ctx context.Context, err error) *protocol.Error {
	e := protocol.AsError(err)
	switch {
	case x.r.Context().Err() != nil:
		return protocol.Errorf(protocol.Canceled, "the device went away")
	case ctx.Err() != nil:
		return protocol.Errorf(protocol.DeadlineExceeded, "adapter %s did not answer within %v", x.adapter, x.s.cfg.Budget)
	case errors.Is(err, rsocket.ErrClosed):
		return protocol.Errorf(protocol.Unavailable, "the line to adapter %s was lost", x.adapter)
	case e.Code == protocol.Canceled:
		return protocol.Errorf(protocol.Unavailable, "adapter %s gave up", x.adapter) // the device did not
	}
	return e
}

// split takes "/tv@^1/home" apart into app, range and path.
func split(p string) (app, rng, path string) {
	app, path, _ = strings.Cut(strings.TrimPrefix(p, "/"), "/")
	app, rng, _ = strings.Cut(app, "@")
	clean := pathpkg.Clean("/" + path)
	if strings.HasSuffix(path, "/") && clean != "/" {
		clean += "/" // it means something to a router
	}
	return app, rng, clean
}

func (x *exchange) body() ([]byte, *protocol.Error) {
	most := x.s.cfg.MaxBody
	b, err := io.ReadAll(io.LimitReader(x.r.Body, most+1))
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "the request's body broke off")
	}
	if int64(len(b)) > most {
		return nil, protocol.Errorf(protocol.TooLarge, "the request's body is larger than %d bytes", most)
	}
	return b, nil
}

func (x *exchange) mint(w http.ResponseWriter) error {
	p, err := x.s.cfg.Mint(w, x.r)
	if err != nil {
		return err
	}
	p.Device = x.device.Category.String()
	p.Origin = x.s.cfg.Name
	p.Issued = time.Now()
	p.Expires = p.Issued.Add(x.s.cfg.PassportTTL)
	x.minted, err = x.s.cfg.Keys.Seal(p)
	return err
}

// passportBack verifies a changed passport: an adapter can't forge one, nor hand
// back that of another request.
func (x *exchange) passportBack(w http.ResponseWriter) *protocol.Error {
	if x.changed == nil {
		return nil
	}
	h, err := x.s.cfg.Keys.History(x.changed, time.Now())
	if err == nil && !passport.Same(x.minted, x.changed) {
		err = passport.ErrOther
	}
	if err == nil && len(h.Changes) > 0 {
		err = x.s.mayChange(x.adapter)
	}
	if err != nil {
		return protocol.Errorf(protocol.Internal, "adapter %s handed back a passport that is not good: %w", x.adapter, err)
	}
	x.history = h
	if x.s.cfg.OnPassport != nil && len(h.Changes) > 0 {
		x.s.cfg.OnPassport(w, x.r, h)
	}
	return nil
}

func (x *exchange) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range x.answer.Header {
		if !private(name) {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	if h["Set-Cookie"] != nil {
		keepFromCaches(h)
	}
	h.Set("Warmline-Adapter", x.adapter.String())
	w.WriteHeader(x.answer.Status)
	_, _ = w.Write(x.answer.Body) // a device that has gone needs no answer
}

// writeError tells an error, and what is there where something was not found.
func (x *exchange) writeError(w http.ResponseWriter, e *protocol.Error) {
	var more map[string]any
	if x.adapter == nil && e.Code.HTTPStatus() == http.StatusNotFound {
		more = map[string]any{"adapters": x.s.table.list()}
	}
	protocol.WriteError(w, e, more)
}

// log writes the one line of a device request. Nothing of the query, the body
// or the passport is in it.
func (x *exchange) log(status int, took time.Duration, err *protocol.Error) {
	level := zerolog.InfoLevel
	if status >= 500 {
		level = zerolog.WarnLevel
	}
	e := x.s.cfg.Log.WithLevel(level)
	if e == nil {
		return
	}
	e.Str("method", x.r.Method).Str("path", clip(x.r.URL.Path)).Int("status", status).Dur("took", took).Stringer("device", x.device.Category).Str("device_type", x.device.ID)
	if x.adapter != nil {
		e.Stringer("adapter", x.adapter)
	}
	if err != nil {
		e.Stringer("code", err.Code).Str("reason", clip(err.Message))
	}
	if len(x.history.Changes) > 0 {
		e.Array("passport_changes", changes(&x.history))
	}
	if len(x.history.Conflicts) > 0 {
		e.Array("passport_conflicts", conflicts(&x.history))
	}
	x.logCalls(e)
	e.Str("trace", x.trace[3:35]).Msg("device request")
}

// mostLogged is how many of an adapter's calls and of its conversations the line tells.
const mostLogged = 100

// logCalls adds what the adapter has told of its calls, which may be anything.
func (x *exchange) logCalls(e *zerolog.Event) {
	calls := zerolog.Arr()
	for _, c := range x.answer.Calls[:min(len(x.answer.Calls), mostLogged)] {
		d := zerolog.Dict().Str("call", clip(c.Method)).Dur("took", time.Duration(c.Micros)*time.Microsecond)
		if c.Code != "" {
			d.Str("code", clip(c.Code))
		}
		calls.Dict(d)
	}
	if n := len(x.answer.Calls) - mostLogged; n > 0 {
		e.Int("calls_left_out", n)
	}
	if len(x.answer.Conversations) > 0 {
		conversations := zerolog.Arr()
		for _, c := range x.answer.Conversations[:min(len(x.answer.Conversations), mostLogged)] {
			d := zerolog.Dict().Int("calls", c.Calls)
			for _, figure := range []struct {
				name string
				n    int
			}{{"references", c.References}, {"view_hits", c.ViewHits}, {"moves", c.Moves}} {
				if figure.n > 0 {
					d.Int(figure.name, figure.n)
				}
			}
			conversations.Dict(d)
		}
		e.Array("conversations", conversations)
	}
	if n := len(x.answer.Conversations) - mostLogged; n > 0 {
		e.Int("conversations_left_out", n)
	}
	e.Array("calls", calls)
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
