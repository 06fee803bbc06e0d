package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"sync"

	"warmline.dev/protocol"
)

// Request is what a source is asked.
type Request struct {
	// Method is one of HTTP. Default GET.
	Method string
	// Path, with its query, is appended to the URL. Escape what goes into it.
	Path string
	// Header is sent besides Accept, Content-Type (with a body; application/json
	// unless it says otherwise) and Traceparent.
	Header http.Header
	// Body is sent; nil: none.
	Body []byte
	// Safe says that sending the request twice is no worse than once, which is
	// taken for granted of GET and HEAD. Only such are retried and hedged.
	Safe bool
	// Accept decodes or checks an answer of status 2xx. Its error makes the answer
	// a failure of the source, which another attempt may mend: Accept has to begin
	// anew then. It is never called twice at once, nor after it returned nil.
	// Default: any answer is good.
	Accept func(body []byte) error
}

// request is one Request on its way.
type request struct {
	caller context.Context // as it came: its end is not the source's fault
	http   *http.Request   // what every attempt sends a copy of
	path   string
	safe   bool
	accept func([]byte) error

	mu      sync.Mutex
	settled bool      // guarded by mu: there is an answer
	at      *instance // guarded by mu: that was asked last
}

// Do sends a request and returns when its answer was accepted, or what went
// wrong as a *protocol.Error.
func (s *Source) Do(ctx context.Context, req Request) error {
	r, err := s.begin(ctx, req)
	if err != nil { // this says nothing about the source
		return protocol.Errorf(protocol.Internal, "source %s: %w", s.cfg.Name, err)
	}
	if err := s.ask(ctx, r); err != nil {
		return s.tell(err)
	}
	return nil
}

// Get decodes the JSON answer to GET path into into, which is a pointer.
func (s *Source) Get(ctx context.Context, path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return s.Do(ctx, Request{Path: path, Accept: decode(into)})
}

// Put sends body as JSON with PUT and decodes the JSON answer into into, which
// is a pointer. It is sent again only if nothing was sent.
func (s *Source) Put(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return protocol.Errorf(protocol.Internal, "source %s: encode request: %w", s.cfg.Name, err)
	}
	return s.Do(ctx, Request{Method: http.MethodPut, Path: path, Body: b, Accept: decode(into)})
}

// decode accepts JSON of into's shape. Nothing of an answer that has another is
// left in into.
func decode(into any) func([]byte) error {
	return func(body []byte) error {
		err := json.Unmarshal(body, into)
		if err != nil {
			if v := reflect.ValueOf(into); v.Kind() == reflect.Pointer && !v.IsNil() {
				v.Elem().SetZero()
			}
		}
		return err
	}
}

func (s *Source) begin(ctx context.Context, req Request) (*request, error) {
	if req.Method == "" {
		req.Method = http.MethodGet
	}
	h, err := http.NewRequestWithContext(ctx, req.Method, s.instances.all[0].url+req.Path, bytes.NewReader(req.Body)) // is read anew for every attempt
	if err != nil {
		return nil, err
	}
	if req.Path != "" && req.Path[0] != '/' && req.Path[0] != '?' {
		return nil, fmt.Errorf("path %q: expected a slash at its beginning", req.Path)
	}
	if req.Header != nil {
		h.Header = req.Header.Clone()
	}
	if h.Header.Get("Accept") == "" {
		h.Header.Set("Accept", "application/json")
	}
	if req.Body != nil && h.Header.Get("Content-Type") == "" {
		h.Header.Set("Content-Type", "application/json")
	}
	if tp := protocol.Traceparent(ctx); tp != "" {
		h.Header.Set("Traceparent", tp)
	}
	safe := req.Safe || req.Method == http.MethodGet || req.Method == http.MethodHead
	return &request{caller: ctx, http: h, path: req.Path, safe: safe, accept: req.Accept}, nil
}

// turn is the instance that the next attempt goes to.
func (r *request) turn(of *instances) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = of.next(r.at)
	return r.at
}

// settle takes an answer, unless there is one already. One attempt at a time is
// looked at.
func (r *request) settle(look func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled {
		return &failure{kind: lost, err: errLost}
	}
	err := look()
	r.settled = failed(err) == nil
	return err
}
