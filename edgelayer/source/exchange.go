package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"warmline.dev/protocol"
)

// attempt sends a request to one of the instances, and takes down what it came
// to.
func (s *Source) attempt(ctx context.Context, r *request) error {
	in := r.turn(s.instances)
	s.figures.attempts.Add(1)
	s.figures.inFlight.Add(1)
	defer s.figures.inFlight.Add(-1)
	start := time.Now()
	err := s.exchange(ctx, r, in)
	took := time.Since(start)

	f := failed(err)
	usual := s.times.slow()
	slow := usual > 0 && took >= usual
	if f == nil || f.kind == timeout || f.kind == lost && slow {
		s.times.add(took)
	}
	if blamed(err) != nil {
		s.figures.failed[f.kind].Add(1)
	}
	in.note(f, slow)
	return err
}

// exchange is one HTTP request and its answer.
func (s *Source) exchange(ctx context.Context, r *request, in *instance) error {
	req, err := r.to(ctx, in)
	if err != nil {
		return protocol.Errorf(protocol.Internal, "source %s: %w", s.cfg.Name, err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return ended(ctx, r, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, s.cfg.MaxBody+1))
	if err != nil {
		return ended(ctx, r, err)
	}
	if int64(len(b)) > s.cfg.MaxBody {
		return &failure{kind: tooLarge, err: fmt.Errorf("its answer is larger than %d bytes", s.cfg.MaxBody)}
	}
	return r.settle(func() error {
		if resp.StatusCode >= 300 {
			return s.refusal(r, resp, b)
		}
		if r.accept == nil {
			return nil
		}
		if err := r.accept(b); err != nil {
			return &failure{kind: garbage, again: true, err: fmt.Errorf("its answer is not what was expected: %w", err)}
		}
		return nil
	})
}

// to is the HTTP request to an instance. Every attempt has its own: a client may
// add cookies.
func (r *request) to(ctx context.Context, in *instance) (*http.Request, error) {
	u, err := url.Parse(in.url + r.path)
	if err != nil {
		return nil, err
	}
	req := r.http.Clone(ctx)
	req.URL, req.Host = u, u.Host
	if r.http.GetBody != nil {
		if req.Body, err = r.http.GetBody(); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// refusal is an HTTP status as an error: the source's considered answers keep
// their meaning, all others are failures. That a write was not authenticated is about
// what it brought with it, a password say; of a read it is about the edge's own access.
func (s *Source) refusal(r *request, resp *http.Response, body []byte) error {
	why := fmt.Sprintf("HTTP %d", resp.StatusCode)
	var told struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &told) == nil && told.Error.Message != "" && len(told.Error.Message) <= longestWhy {
		why = told.Error.Message
	}
	var code protocol.Code
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		if r.safe {
			return s.statusFailure(resp, why)
		}
		code = protocol.Unauthenticated
	case http.StatusNotFound:
		code = protocol.NotFound
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict:
		code = protocol.InvalidArgument
	case http.StatusForbidden:
		code = protocol.Forbidden
	default:
		return s.statusFailure(resp, why)
	}
	return protocol.Errorf(code, "source %s: %s", s.cfg.Name, why)
}

func (s *Source) statusFailure(resp *http.Response, why string) *failure {
	f := &failure{kind: status, err: fmt.Errorf("%s", why)}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		f.again, f.wait = true, retryAfter(resp.Header)
	case http.StatusServiceUnavailable:
		f.again = true
		if len(s.instances.all) == 1 { // what one of several asks for is not for the others
			f.wait = retryAfter(resp.Header)
		}
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		f.again = true
	}
	return f
}

// retryAfter is how long the header of that name asks to wait; 0: it doesn't, or
// not so that it can be understood.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseInt(v, 10, 32); err == nil {
		return max(time.Duration(n)*time.Second, 0)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// newClient keeps to what the limit allows also with connections that are still
// being made: they outlive the attempt that they were for.
func newClient(cfg Config) *http.Client {
	most := max(cfg.Limit.Most, 0)
	patience := 5 * time.Second
	if cfg.Timeout > 0 {
		patience = cfg.Timeout
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: patience}).DialContext,
			TLSHandshakeTimeout:    patience,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    most,
			MaxConnsPerHost:        most, // 0: no bound
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        time.Minute,
		},
		// A redirect would be another request, to somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
