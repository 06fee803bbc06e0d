package protocol

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// statusCanceled is what proxies log for a client that went away before it was
// answered; nobody sees it.
const statusCanceled = 499

// HTTPStatus is the code as HTTP says it.
func (c Code) HTTPStatus() int {
	switch c {
	case Canceled:
		return statusCanceled
	case DeadlineExceeded:
		return http.StatusGatewayTimeout
	case InvalidArgument:
		return http.StatusBadRequest
	case UnknownMethod, NotFound, Unsatisfied:
		return http.StatusNotFound
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Uncertain:
		return http.StatusBadGateway
	case Overloaded, Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// WriteError writes an error as HTTP: its code's status, Retry-After where the
// peer is to come back, and {"error":{"code","message"}} with the fields of
// more beside code and message.
func WriteError(w http.ResponseWriter, e *Error, more map[string]any) {
	told := map[string]any{"code": e.Code, "message": e.Message}
	for name, v := range more {
		told[name] = v
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)                                          // it is JSON, and never part of a page
	if err := enc.Encode(map[string]any{"error": told}); err != nil { // more held what is no JSON
		b.Reset()
		b.WriteString(`{"error":{"code":"internal"}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	status := e.Code.HTTPStatus()
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a device that has gone needs no answer
}
