package source_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

// asked is what a service was asked, which it answers with.
type asked struct {
	Method, URI, Accept, Type, Traceparent, Body string
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(asked{r.Method, r.RequestURI, r.Header.Get("Accept"), r.Header.Get("Content-Type"), r.Header.Get("Traceparent"), string(b)})
}

func TestRequestsAndAnswers(t *testing.T) {
	ctx := context.Background()
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	base := serve(t, echo)
	for name, tt := range map[string]struct {
		base string
		do   func(s *source.Source, into any) error
		want asked
	}{
		"get": {base, func(s *source.Source, into any) error {
			return s.Get(ctx, "/films/7", nil, into)
		}, asked{"GET", "/films/7", "application/json", "", "", ""}},
		"get with a query": {base, func(s *source.Source, into any) error {
			return s.Get(ctx, "/films", url.Values{"ids": {"1,2"}, "q": {"a b&c"}}, into)
		}, asked{"GET", "/films?ids=1%2C2&q=a+b%26c", "application/json", "", "", ""}},
		"put": {base, func(s *source.Source, into any) error {
			return s.Put(ctx, "/films/7", map[string]int{"rating": 5}, into)
		}, asked{"PUT", "/films/7", "application/json", "application/json", "", `{"rating":5}`}},
		"put nothing": {base, func(s *source.Source, into any) error {
			return s.Put(ctx, "/films/7", nil, into)
		}, asked{"PUT", "/films/7", "application/json", "application/json", "", "null"}},
		"a slash behind the URL": {base + "/", func(s *source.Source, into any) error {
			return s.Get(ctx, "/films", nil, into)
		}, asked{"GET", "/films", "application/json", "", "", ""}},
		"a path in the URL": {base + "/v1/", func(s *source.Source, into any) error {
			return s.Get(ctx, "/films", nil, into)
		}, asked{"GET", "/v1/films", "application/json", "", "", ""}},
		"a path that is escaped": {base, func(s *source.Source, into any) error {
			return s.Get(ctx, "/films/"+url.PathEscape("a/b?c"), nil, into)
		}, asked{"GET", "/films/a%2Fb%3Fc", "application/json", "", "", ""}},
		"the trace goes along": {base, func(s *source.Source, into any) error {
			return s.Get(protocol.WithTraceparent(ctx, traceparent), "/films", nil, into)
		}, asked{"GET", "/films", "application/json", "", traceparent, ""}},
	} {
		s := newSource(t, source.Config{URLs: []string{tt.base}})
		var got asked
		err := tt.do(s, &got)
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
		if d := cmp.Diff(source.Stats{Requests: 1, Attempts: 1, Breaker: "closed"}, counted(s)); d != "" || s.Name() != "films" {
			t.Errorf("%s: %s\n%s", name, s.Name(), d)
		}
	}
}

func TestStatusesBecomeCodes(t *testing.T) {
	for _, tt := range []struct {
		status   int
		body     string
		code     protocol.Code
		message  string
		failures int64
	}{
		{404, `{"error":{"message":"no film 7"}}`, protocol.NotFound, "source films: no film 7", 0},
		{404, `{"error":"no film 7"}`, protocol.NotFound, "source films: HTTP 404", 0},
		{404, "404 page not found", protocol.NotFound, "source films: HTTP 404", 0},
		{404, "", protocol.NotFound, "source films: HTTP 404", 0},
		{404, `{"error":{"message":"` + strings.Repeat("x", 301) + `"}}`, protocol.NotFound, "source films: HTTP 404", 0},
		{400, `{"error":{"message":"100% wrong"}}`, protocol.InvalidArgument, "source films: 100% wrong", 0},
		{409, "", protocol.InvalidArgument, "source films: HTTP 409", 0},
		{422, "", protocol.InvalidArgument, "source films: HTTP 422", 0},
		{403, "", protocol.Forbidden, "source films: HTTP 403", 0},
		{401, "", protocol.Unavailable, "source films: HTTP 401", 1},
		{429, "", protocol.Unavailable, "source films: HTTP 429", 1},
		{304, "", protocol.Unavailable, "source films: HTTP 304", 1},
		{500, `{"error":{"message":"on fire"}}`, protocol.Unavailable, "source films: on fire", 1},
		{502, "<html>", protocol.Unavailable, "source films: HTTP 502", 1},
		{503, "", protocol.Unavailable, "source films: HTTP 503", 1},
	} {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		s := newSource(t, source.Config{URLs: []string{base}, Retry: source.Retry{Attempts: -1}})
		e := want(t, get(s), tt.code)
		if e.Message != tt.message || e.Retry || e.Remote {
			t.Errorf("%d %s: %+v", tt.status, tt.body, e)
		}
		if d := cmp.Diff(source.Stats{Requests: 1, Failures: tt.failures, Attempts: 1, Failed: source.Failed{Status: tt.failures}, Breaker: "closed"}, counted(s)); d != "" {
			t.Errorf("%d %s:\n%s", tt.status, tt.body, d)
		}
	}
}

func TestAnswersThatAreNotWhatWasExpected(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":         "<html>",
		"cut short":       `{"Method":`,
		"nothing":         "",
		"more than one":   "{}{}",
		"half of it":      `{"Body":"x","Method":7}`,
		"the wrong shape": `{"Method":7}`,
	} {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		s := newSource(t, source.Config{URLs: []string{base}, Breaker: source.Breaker{MinRequests: 1}, Retry: source.Retry{Attempts: -1}})
		var got asked
		e := want(t, s.Get(context.Background(), "/x", nil, &got), protocol.Unavailable)
		if e.Retry || !strings.Contains(e.Message, "source films: its answer is not what was expected") || got != (asked{}) {
			t.Errorf("%s: %+v, %+v", name, e, got)
		}
		if d := cmp.Diff(source.Stats{Requests: 1, Failures: 1, Attempts: 1, Failed: source.Failed{Garbage: 1}, Breaker: "open"}, counted(s)); d != "" {
			t.Errorf("%s is a failure of the source:\n%s", name, d)
		}
	}
}

// A source that fails in many words does not have them all repeated.
func TestErrorsAreBounded(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"N":1`+strings.Repeat("0", 5000)+`}`)
	})
	var got struct{ N int8 }
	e := want(t, newSource(t, source.Config{URLs: []string{base}}).Get(context.Background(), "/x", nil, &got), protocol.Unavailable)
	if len(e.Message) > 400 || !strings.Contains(e.Message, "not what was expected") {
		t.Errorf("%d bytes: %s", len(e.Message), e.Message)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	gone := make(chan struct{}, 1)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", 98)+`"`)
		if r.URL.Path == "/endless" {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat(" ", 1<<16))
			}
			gone <- struct{}{}
		}
	})
	s := newSource(t, source.Config{URLs: []string{base}, MaxBody: 100, Timeout: -1})
	var text string
	if err := s.Get(context.Background(), "/", nil, &text); err != nil || len(text) != 98 {
		t.Errorf("as long as may be: %q, %v", text, err)
	}
	e := want(t, s.Get(context.Background(), "/endless", nil, &text), protocol.Unavailable)
	if e.Retry || !strings.Contains(e.Message, "larger than 100 bytes") || s.Stats().Failures != 1 {
		t.Errorf("%+v, %+v", e, s.Stats())
	}
	<-gone // the service is told that nobody reads on
	s = newSource(t, source.Config{URLs: []string{base}, MaxBody: 99})
	want(t, s.Get(context.Background(), "/", nil, &text), protocol.Unavailable)
	s = newSource(t, source.Config{URLs: []string{base}, MaxBody: math.MaxInt64})
	if err := s.Get(context.Background(), "/", nil, &text); err != nil {
		t.Errorf("no bound to speak of: %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	s := newSource(t, source.Config{URLs: []string{"http://127.0.0.1:1"}})
	err := s.Get(context.Background(), "/x", url.Values{"customer": {"7f3a"}}, new(any))
	if e := want(t, err, protocol.Unavailable); e.Retry || !strings.Contains(e.Message, "no connection") || strings.Contains(e.Message, "7f3a") {
		t.Errorf("%+v", e)
	}
	if d := cmp.Diff(source.Stats{
		Requests: 1, Failures: 1, Attempts: 2, Failed: source.Failed{Unreachable: 2}, Retries: 1, Breaker: "closed",
	}, counted(s)); d != "" {
		t.Error(d)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request has come") })
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) })
	s := newSource(t, source.Config{URLs: []string{base}})
	if e := want(t, get(s), protocol.Unavailable); !strings.Contains(e.Message, "HTTP 302") {
		t.Error(e)
	}
}

// What an answer's head may be long is bounded too.
func TestHeadersAreBounded(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		_, _ = io.WriteString(w, "{}")
	})
	want(t, get(newSource(t, source.Config{URLs: []string{base}})), protocol.Unavailable)
}

func TestWhatARequestSays(t *testing.T) {
	s := newSource(t, source.Config{URLs: []string{serve(t, echo)}})
	var got asked
	err := s.Do(context.Background(), source.Request{
		Method: "POST", Path: "/films?x=1", Body: []byte("a=b"),
		Header: http.Header{"Accept": {"text/plain"}, "Content-Type": {"application/x-www-form-urlencoded"}},
		Accept: func(b []byte) error { return json.Unmarshal(b, &got) },
	})
	if d := cmp.Diff(asked{"POST", "/films?x=1", "text/plain", "application/x-www-form-urlencoded", "", "a=b"}, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}

// What can't be sent is this side's fault: the source has no part in it.
func TestWhatCannotBeSent(t *testing.T) {
	s := newSource(t, source.Config{URLs: []string{serve(t, echo)}, Breaker: source.Breaker{MinRequests: 1}})
	for name, err := range map[string]error{
		"no JSON":   s.Put(context.Background(), "/x", make(chan int), new(asked)),
		"no path":   s.Get(context.Background(), "/x\x00", nil, new(asked)),
		"no escape": s.Get(context.Background(), "/x%zz", nil, new(asked)),
		"no slash":  s.Get(context.Background(), ".example.org/x", nil, new(asked)),
		"no method": s.Do(context.Background(), source.Request{Method: "GET IT", Path: "/x"}),
	} {
		if e := want(t, err, protocol.Internal); e.Retry {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if d := cmp.Diff(source.Stats{Breaker: "closed"}, counted(s)); d != "" {
		t.Error(d)
	}
}

func TestBadConfig(t *testing.T) {
	const good = "http://127.0.0.1:9101"
	for name, cfg := range map[string]source.Config{
		"no URL":           {},
		"no scheme":        {URLs: []string{"127.0.0.1:9101"}},
		"no host":          {URLs: []string{"http://"}},
		"another scheme":   {URLs: []string{"ftp://127.0.0.1"}},
		"no URL at all":    {URLs: []string{"http://[::1"}},
		"a query":          {URLs: []string{good + "?x=1"}},
		"one of them":      {URLs: []string{good, "films"}},
		"least below 0":    {URLs: []string{good}, Limit: source.Limit{Least: -1}},
		"least above most": {URLs: []string{good}, Limit: source.Limit{Least: 9, Most: 8}},
		"bodies below 0":   {URLs: []string{good}, MaxBody: -1},
		"hedges after all": {URLs: []string{good}, Hedge: source.Hedge{Quantile: 1}},
		"a window below 0": {URLs: []string{good}, Breaker: source.Breaker{Window: -1}},
	} {
		cfg.Name = "films"
		if s, err := source.New(cfg); err == nil || s != nil || !strings.Contains(err.Error(), `source "films"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := source.New(source.Config{
		URLs: []string{good}, Timeout: -time.Second, Breaker: source.Breaker{MinRequests: -1},
		Limit: source.Limit{Most: -1}, Retry: source.Retry{Attempts: -1, Backoff: -1}, Hedge: source.Hedge{Quantile: -1}, Budget: -1,
	}); err != nil {
		t.Errorf("what may be negative: %v", err)
	}
}
