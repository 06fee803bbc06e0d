package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/sony/gobreaker/v2"

	"warmline.dev/protocol"
)

// Config is how a source is reached and how much is put up with.
type Config struct {
	// Name stands in errors, logs and figures.
	Name string
	// BaseURL is what paths are appended to: http://127.0.0.1:9101. Required.
	BaseURL string
	// Timeout bounds one request. Default 400 ms; negative: only its context does.
	Timeout time.Duration
	// MaxInFlight bounds the requests under way at once; one more is refused at
	// once as overloaded. Default 64.
	MaxInFlight int
	// MaxBody bounds an answer, in bytes. Default 1 MiB.
	MaxBody int64
	// Breaker decides when the source is left alone.
	Breaker Breaker
	// Client sends the requests. Default: one of the source's own, which keeps
	// MaxInFlight connections for reuse.
	Client *http.Client
	// Log is told when the breaker opens and closes. The zero value is silent.
	Log zerolog.Logger
}

// Breaker is when a source's circuit breaker opens and for how long.
type Breaker struct {
	// Window is how far back failures count. Default 10 s.
	Window time.Duration
	// Failures of at least FailureRatio of the requests in the window open it,
	// once there were MinRequests. Defaults 0.5 and 5. A negative MinRequests
	// switches the breaker off.
	FailureRatio float64
	MinRequests  int
	// OpenFor is how long it stays open before one request is let through to
	// try. Default 2 s.
	OpenFor time.Duration
}

func (b Breaker) withDefaults() Breaker {
	if b.Window == 0 {
		b.Window = 10 * time.Second
	}
	if b.FailureRatio == 0 {
		b.FailureRatio = 0.5
	}
	if b.MinRequests == 0 {
		b.MinRequests = 5
	}
	if b.OpenFor == 0 {
		b.OpenFor = 2 * time.Second
	}
	return b
}

// Source is one mid-tier service. All methods are safe for concurrent use.
type Source struct {
	cfg     Config
	client  *http.Client
	slots   chan struct{}
	breaker *gobreaker.CircuitBreaker[[]byte]

	requests, failures, refused atomic.Int64
}

// New makes a source, or says what is wrong with cfg. Nothing is sent.
func New(cfg Config) (*Source, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("source %q: URL %q: expected http://HOST:PORT", cfg.Name, cfg.BaseURL)
	}
	if cfg.MaxInFlight < 0 || cfg.MaxBody < 0 {
		return nil, fmt.Errorf("source %q: %d in flight, bodies of %d bytes: expected positive numbers", cfg.Name, cfg.MaxInFlight, cfg.MaxBody)
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.Timeout == 0 {
		cfg.Timeout = 400 * time.Millisecond
	}
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = 64
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 1 << 20
	}
	cfg.MaxBody = min(cfg.MaxBody, math.MaxInt64-1) // one more is read, to tell
	cfg.Breaker = cfg.Breaker.withDefaults()
	s := &Source{cfg: cfg, client: cfg.Client, slots: make(chan struct{}, cfg.MaxInFlight)}
	if s.client == nil {
		s.client = &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: cfg.MaxInFlight,
			MaxConnsPerHost:     cfg.MaxInFlight,
			IdleConnTimeout:     time.Minute,
		}}
	}
	s.breaker = s.newBreaker()
	return s, nil
}

func (s *Source) newBreaker() *gobreaker.CircuitBreaker[[]byte] {
	b := s.cfg.Breaker
	return gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		Name:         s.cfg.Name,
		Interval:     b.Window,
		BucketPeriod: b.Window / 10,
		Timeout:      b.OpenFor,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			n := c.TotalSuccesses + c.TotalFailures
			return b.MinRequests > 0 && n >= uint32(b.MinRequests) && float64(c.TotalFailures) >= b.FailureRatio*float64(n)
		},
		// A caller that gave up, or that came with next to no time, says nothing
		// about the source, and neither does an answer that says no.
		IsExcluded:   ofCaller,
		IsSuccessful: func(err error) bool { return err == nil || answered(err) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			s.cfg.Log.Warn().Str("source", s.cfg.Name).Stringer("from", from).Stringer("to", to).Msg("breaker")
		},
	})
}

// callerError is what went wrong because the caller's own context had ended.
type callerError struct{ error }

func (e callerError) Unwrap() error { return e.error }

func ofCaller(err error) bool {
	_, ok := errors.AsType[callerError](err)
	return ok
}

// answered reports whether err is the source's own considered answer.
func answered(err error) bool {
	e, ok := errors.AsType[*protocol.Error](err)
	return ok && (e.Code == protocol.NotFound || e.Code == protocol.InvalidArgument || e.Code == protocol.Forbidden)
}

// Close lets go of idle connections.
func (s *Source) Close() { s.client.CloseIdleConnections() }

// Name is the name it was made with.
func (s *Source) Name() string { return s.cfg.Name }

// Get decodes the JSON answer to GET path into into.
func (s *Source) Get(ctx context.Context, path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return s.do(ctx, http.MethodGet, path, nil, into)
}

// Put sends body as JSON with PUT and decodes the JSON answer into into.
func (s *Source) Put(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return protocol.Errorf(protocol.Internal, "source %s: encode request: %w", s.cfg.Name, err)
	}
	return s.do(ctx, http.MethodPut, path, b, into)
}

func (s *Source) do(ctx context.Context, method, path string, body []byte, into any) error {
	caller := ctx
	if s.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.Timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return s.tell(err) // a budget that is spent starts no work
	}
	req, err := s.request(ctx, method, path, body)
	if err != nil { // before the breaker: this says nothing about the source
		return protocol.Errorf(protocol.Internal, "source %s: %w", s.cfg.Name, err)
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.refused.Add(1)
		return protocol.Errorf(protocol.Overloaded, "source %s: %d requests are under way already", s.cfg.Name, cap(s.slots))
	}
	answer, err := s.breaker.Execute(func() ([]byte, error) {
		s.requests.Add(1)
		b, err := s.exchange(req)
		switch {
		case err == nil || answered(err):
		case caller.Err() != nil:
			err = callerError{err}
		default:
			s.failures.Add(1)
		}
		return b, err
	})
	if err != nil {
		return s.tell(err)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return protocol.Errorf(protocol.Unavailable, "source %s: its answer is not what was expected: %w", s.cfg.Name, err)
	}
	return nil
}

// tell turns what went wrong into what an adapter is told.
func (s *Source) tell(err error) error {
	if _, ok := errors.AsType[*protocol.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		s.refused.Add(1)
		return protocol.Errorf(protocol.Unavailable, "source %s: left alone after failures: %w", s.cfg.Name, err).Retryable()
	case errors.Is(err, context.DeadlineExceeded):
		return protocol.Errorf(protocol.DeadlineExceeded, "source %s: no answer in time: %w", s.cfg.Name, err)
	case errors.Is(err, context.Canceled):
		return protocol.Errorf(protocol.Canceled, "source %s: %w", s.cfg.Name, err)
	}
	return protocol.Errorf(protocol.Unavailable, "source %s: %w", s.cfg.Name, err)
}

func (s *Source) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.cfg.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if tp := protocol.Traceparent(ctx); tp != "" {
		req.Header.Set("Traceparent", tp)
	}
	return req, nil
}

func (s *Source) exchange(req *http.Request) ([]byte, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, ended(req.Context(), err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, s.cfg.MaxBody+1))
	if err != nil {
		return nil, ended(req.Context(), err)
	}
	if int64(len(b)) > s.cfg.MaxBody {
		return nil, fmt.Errorf("its answer is larger than %d bytes", s.cfg.MaxBody)
	}
	if resp.StatusCode >= 300 {
		return nil, refusal(s.cfg.Name, resp.StatusCode, b)
	}
	return b, nil
}

// ended makes err match ctx's error if ctx has ended: net/http gives the cause
// instead, which may be any error.
func ended(ctx context.Context, err error) error {
	if why := ctx.Err(); why != nil && !errors.Is(err, why) {
		return fmt.Errorf("%w: %w", why, err)
	}
	return err
}

// refusal is an HTTP status as an error: the source's considered answers keep
// their meaning, all others are failures.
func refusal(name string, status int, body []byte) error {
	code := protocol.Unavailable
	switch status {
	case http.StatusNotFound:
		code = protocol.NotFound
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict:
		code = protocol.InvalidArgument
	case http.StatusForbidden:
		code = protocol.Forbidden
	}
	var told struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &told) == nil && told.Error.Message != "" && len(told.Error.Message) <= 300 {
		return protocol.Errorf(code, "source %s: %s", name, told.Error.Message)
	}
	return protocol.Errorf(code, "source %s: HTTP %d", name, status)
}

// Stats are a source's figures since it was made.
type Stats struct {
	Requests int64  `json:"requests"` // sent
	Failures int64  `json:"failures"`
	Refused  int64  `json:"refused"` // by the limit or the breaker, without being sent
	InFlight int    `json:"in_flight"`
	Breaker  string `json:"breaker"` // "closed", "half-open" or "open"
}

// Stats returns the figures now.
func (s *Source) Stats() Stats {
	return Stats{
		Requests: s.requests.Load(), Failures: s.failures.Load(), Refused: s.refused.Load(),
		InFlight: len(s.slots), Breaker: s.breaker.State().String(),
	}
}
