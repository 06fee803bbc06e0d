package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	maxBody     = 64 << 10
	bodyTimeout = 10 * time.Second
)

// readBody takes the whole body into memory and puts it back into r. The server
// notices a client that goes away only once the body was read, and a service
// that hangs has to notice it.
func readBody(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	// The deadline is set here and not on the server, for the whole request,
	// because there it would also end the context of a request that hangs.
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return badRequest("the body could not be read")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &failure{http.StatusRequestEntityTooLarge, "too_large", "the body is longer than 64 KiB"}
	}
	if err != nil {
		return badRequest("the body could not be read")
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return badRequest("the body could not be read")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// decodeBody reads one JSON object from the body into v. A body that is anything
// else, or has a field that v hasn't, is a failure that says what was expected.
func decodeBody(r *http.Request, v any, expected string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return badRequest("the body could not be read")
	}
	// The decoder would take null for an object without fields.
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return badRequest("the body is no JSON object: expected %s", expected)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return badRequest("the body: %s is of type %s: expected %s", clip(wrong.Field), wrong.Value, expected)
	}
	if err != nil {
		return badRequest("the body: %s: expected %s", clip(err.Error()), expected)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("the body goes on after the JSON object: expected %s", expected)
	}
	return nil
}
