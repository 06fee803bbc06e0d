package adapter_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
)

func TestJSONWritesWhatTheFunctionReturns(t *testing.T) {
	l := serve(t, adapter.JSON(func(r *http.Request) (any, error) {
		return map[string]any{"path": r.URL.Path, "html": "<b>&"}, nil
	}))
	got := l.get("/home")
	wantAnswer(t, "/home", got, 200, `{"html":"<b>&","path":"/home"}`)
	if ct := got.Header["Content-Type"]; len(ct) != 1 || ct[0] != "application/json" {
		t.Errorf("Content-Type is %v", ct)
	}
}

func TestJSONWritesErrorsWithTheStatusOfTheirCode(t *testing.T) {
	for what, tc := range map[string]struct {
		err    error
		status int
		body   string
		retry  string
	}{
		"an argument":    {protocol.Errorf(protocol.InvalidArgument, "no such row"), 400, `{"error":{"code":"invalid_argument","message":"no such row"}}`, ""},
		"no passport":    {protocol.Errorf(protocol.Unauthenticated, "who?"), 401, `{"error":{"code":"unauthenticated","message":"who?"}}`, ""},
		"not allowed":    {protocol.Errorf(protocol.Forbidden, "not you"), 403, `{"error":{"code":"forbidden","message":"not you"}}`, ""},
		"not there":      {protocol.Errorf(protocol.NotFound, "no film <7>"), 404, `{"error":{"code":"not_found","message":"no film <7>"}}`, ""},
		"overload":       {protocol.Errorf(protocol.Overloaded, "later"), 503, `{"error":{"code":"overloaded","message":"later"}}`, "1"},
		"a dead edge":    {protocol.Errorf(protocol.Unavailable, "no line"), 503, `{"error":{"code":"unavailable","message":"no line"}}`, "1"},
		"out of time":    {protocol.Errorf(protocol.DeadlineExceeded, "too slow"), 504, `{"error":{"code":"deadline_exceeded","message":"too slow"}}`, ""},
		"a fault":        {protocol.Errorf(protocol.Internal, "broken"), 500, `{"error":{"code":"internal","message":"broken"}}`, ""},
		"any error":      {errors.New("plain"), 500, `{"error":{"code":"internal","message":"plain"}}`, ""},
		"a wrapped one":  {fmt.Errorf("row 3: %w", protocol.Errorf(protocol.NotFound, "gone")), 404, `{"error":{"code":"not_found","message":"gone"}}`, ""},
		"a context's":    {fmt.Errorf("row 3: %w", ended().Err()), 499, `{"error":{"code":"canceled","message":"row 3: context canceled"}}`, ""},
		"a code unknown": {protocol.Errorf(protocol.Unknown, "?"), 500, `{"error":{"code":"unknown","message":"?"}}`, ""},
	} {
		t.Run(what, func(t *testing.T) {
			w := httptest.NewRecorder() // the handler is net/http's, and tests as such
			adapter.JSON(func(*http.Request) (any, error) { return "not written", tc.err }).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if body := strings.TrimSpace(w.Body.String()); w.Code != tc.status || body != tc.body {
				t.Errorf("\n got %d %s\nwant %d %s", w.Code, body, tc.status, tc.body)
			}
			if got := w.Header().Get("Retry-After"); got != tc.retry {
				t.Errorf("Retry-After is %q, want %q", got, tc.retry)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			wantAnswer(t, "on the line", serve(t, adapter.JSON(func(*http.Request) (any, error) { return nil, tc.err })).get("/"), tc.status, tc.body)
		})
	}
}

func TestJSONThatCanNotBeEncodedIsAFault(t *testing.T) {
	l := serve(t, adapter.JSON(func(*http.Request) (any, error) { return map[string]any{"half": 1, "way": make(chan int)}, nil }))
	l.want("/", 500, `{"error":{"code":"internal","message":"encode the answer: …"}}`)
}
