package sample

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// endpoint answers one request with a value to send as JSON, or with an error;
// a [failure] among them says its status.
type endpoint func(*http.Request) (any, error)

// ServeHTTP implements [http.Handler].
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	value, err := e(r)
	if err != nil {
		writeFailure(w, err)
		return
	}
	if kept, ok := value.(interface{ cacheControl() string }); ok {
		w.Header().Set("Cache-Control", kept.cacheControl())
	}
	writeJSON(w, http.StatusOK, value)
}

type failureBody struct {
	Error failureText `json:"error"`
}

type failureText struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func writeFailure(w http.ResponseWriter, err error) {
	f := asFailure(err)
	writeJSON(w, f.status, failureBody{failureText{Code: f.code, Message: f.message}})
}

// writeJSON sends value. It marshals first, so that a client never sees half an
// answer under a good status.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		writeFailure(w, err)
		return
	}
	body = append(body, '\n')
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A client that has gone is the only way for this to fail, and nobody is left
	// to be told.
	_, _ = w.Write(body)
}
