package adapter_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/logged"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
)

func TestWhatTheHandlerWritesIsTheAnswer(t *testing.T) {
	for what, tc := range map[string]struct {
		handler http.HandlerFunc
		want    protocol.DeviceResponse
	}{
		"nothing": {
			func(http.ResponseWriter, *http.Request) {},
			protocol.DeviceResponse{Status: 200},
		},
		"a body": {
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "one "); fmt.Fprint(w, "two") },
			protocol.DeviceResponse{Status: 200, Body: []byte("one two"), Header: map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}}},
		},
		"a page": {
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><p>") },
			protocol.DeviceResponse{Status: 200, Body: []byte("<!DOCTYPE html><p>"), Header: map[string][]string{"Content-Type": {"text/html; charset=utf-8"}}},
		},
		"status, headers and a body": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Vary", "Accept")
				w.Header().Add("Vary", "Origin")
				w.Header().Set("Content-Type", "x/y")
				w.WriteHeader(201)
				fmt.Fprint(w, "made")
			},
			protocol.DeviceResponse{Status: 201, Body: []byte("made"), Header: map[string][]string{"Content-Type": {"x/y"}, "Vary": {"Accept", "Origin"}}},
		},
		"two statuses": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) },
			protocol.DeviceResponse{Status: 404},
		},
		"a status behind the body": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "x/y")
				fmt.Fprint(w, "b")
				w.WriteHeader(500)
			},
			protocol.DeviceResponse{Status: 200, Body: []byte("b"), Header: map[string][]string{"Content-Type": {"x/y"}}},
		},
		"an informational status": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(204) },
			protocol.DeviceResponse{Status: 204},
		},
	} {
		t.Run(what, func(t *testing.T) {
			got := serve(t, tc.handler).get("/")
			if len(got.Header) == 0 {
				got.Header = nil
			}
			if len(got.Body) == 0 {
				got.Body = nil
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("\n got %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestAHandlerThatPanicsIsA500AndTheAdapterLives(t *testing.T) {
	var log logged.Log
	mux := http.NewServeMux()
	mux.HandleFunc("/panic", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Half", "way")
		fmt.Fprint(w, "half an answer")
		panic("the secret of the panic")
	})
	mux.Handle("/", text("alive"))
	l := serveWith(t, adapter.Config{Handler: mux, Log: zerolog.New(&log)})
	got := l.get("/panic")
	wantAnswer(t, "/panic", got, 500, `{"error":{"code":"internal","message":"the adapter failed unexpectedly"}}`)
	if got.Header["X-Half"] != nil {
		t.Error("what was written before the panic is in the answer")
	}
	l.want("/home", 200, "alive")
	for _, part := range []string{`"adapter":"tv"`, `"path":"/panic"`, `"panic":"the secret of the panic"`, "response_test.go"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %s: %s", part, log.String())
		}
	}
}

func TestABodyOverMaxBodyIsA500(t *testing.T) {
	writes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := len(r.URL.Path)
		if _, err := w.Write(make([]byte, n/2)); err != nil {
			t.Errorf("the first half: %v", err)
		}
		if _, err := w.Write(make([]byte, n-n/2)); (err != nil) != (n > 100) {
			t.Errorf("the second half of %d bytes: %v", n, err)
		}
	})
	l := serveWith(t, adapter.Config{Handler: writes, MaxBody: 100})
	if got := l.get("/" + strings.Repeat("x", 99)); got.Status != 200 || len(got.Body) != 100 {
		t.Errorf("a body that just fits: %d, %d bytes", got.Status, len(got.Body))
	}
	l.want("/"+strings.Repeat("x", 100), 500, `{"error":{"code":"internal","message":"the adapter's answer is larger than 100 bytes"}}`)
	l.want("/"+strings.Repeat("x", 150), 500, `{"error":{"code":"internal","message":"the adapter's answer is larger than 100 bytes"}}`)
}

func TestMaxBodyIs4MiBByDefault(t *testing.T) {
	l := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 4 << 20
		if r.URL.Path == "/over" {
			n++
		}
		_, _ = w.Write(make([]byte, n))
	}))
	if got := l.get("/"); got.Status != 200 || len(got.Body) != 4<<20 {
		t.Errorf("got %d, %d bytes", got.Status, len(got.Body))
	}
	l.want("/over", 500, `{"error":{"code":"internal","message":"the adapter's answer is larger than 4194304 bytes"}}`)
}
