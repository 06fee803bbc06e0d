package adapter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"

	"warmline.dev/protocol"
)

// serve lets the handler answer.
func (s *Server) serve(ctx context.Context, in *protocol.DeviceRequest) (out *protocol.DeviceResponse) {
	w := &response{header: http.Header{}, most: s.cfg.MaxBody}
	defer func() {
		if r := recover(); r != nil {
			s.cfg.Log.Error().Str("adapter", s.cfg.Name).Str("path", in.Path).Str("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("an adapter panicked")
			out = failure(protocol.Errorf(protocol.Internal, "the adapter failed unexpectedly"))
		}
	}()
	s.cfg.Handler.ServeHTTP(w, newRequest(ctx, in))
	if w.over {
		return failure(protocol.Errorf(protocol.Internal, "the adapter's answer is larger than %d bytes", s.cfg.MaxBody))
	}
	return w.done()
}

// newRequest is the device request as net/http knows it.
func newRequest(ctx context.Context, in *protocol.DeviceRequest) *http.Request {
	r := &http.Request{
		Method: in.Method,
		URL:    &url.URL{Path: in.Path, RawQuery: in.Query},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header(in.Header),
		Body:          io.NopCloser(bytes.NewReader(in.Body)),
		ContentLength: int64(len(in.Body)),
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.RequestURI = r.URL.RequestURI()
	return r.WithContext(ctx)
}

// response gathers what a handler writes.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
	most   int
	over   bool
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // informational ones have nowhere to go
		w.status = status
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(b) > w.most {
		w.over = true
		return 0, fmt.Errorf("adapter: a body larger than %d bytes", w.most)
	}
	return w.body.Write(b)
}

func (w *response) done() *protocol.DeviceResponse {
	w.WriteHeader(http.StatusOK)
	if w.body.Len() > 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	return &protocol.DeviceResponse{Status: w.status, Header: w.header, Body: w.body.Bytes()}
}

// failure is an error as a response.
func failure(e *protocol.Error) *protocol.DeviceResponse {
	w := &response{header: http.Header{}, most: 1 << 20}
	protocol.WriteError(w, e, nil)
	return w.done()
}
