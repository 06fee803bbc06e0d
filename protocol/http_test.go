package protocol_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/protocol"
)

func TestWriteErrorSaysTheCodeAsHTTP(t *testing.T) {
	for _, tt := range codes {
		w := httptest.NewRecorder()
		protocol.WriteError(w, protocol.Errorf(tt.code, `why <"7">`), nil)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.status)
		}
		retry := ""
		if tt.status == http.StatusServiceUnavailable {
			retry = "1"
		}
		h := w.Header()
		if h.Get("Retry-After") != retry || h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", tt.name, h)
		}
		if got, want := w.Body.String(), `{"error":{"code":"`+tt.name+`","message":"why <\"7\">"}}`+"\n"; got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
	for _, c := range []protocol.Code{protocol.Unknown, 0x3FF} {
		if s := c.HTTPStatus(); s != http.StatusInternalServerError {
			t.Errorf("%v: status %d", c, s)
		}
	}
}

func TestWriteErrorTellsMore(t *testing.T) {
	w := httptest.NewRecorder()
	protocol.WriteError(w, protocol.Errorf(protocol.Unsatisfied, "why"), map[string]any{"request": "r1", "offered": []string{"1.0.0"}})
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"error": map[string]any{"code": "unsatisfied", "message": "why", "request": "r1", "offered": []any{"1.0.0"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	w = httptest.NewRecorder()
	protocol.WriteError(w, protocol.Errorf(protocol.NotFound, "why"), map[string]any{"no JSON": make(chan int)})
	if w.Code != http.StatusNotFound || !json.Valid(w.Body.Bytes()) {
		t.Errorf("what is no JSON: status %d, %q", w.Code, w.Body)
	}
}
