package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rsocket/rsocket-go"
)

// failure is an error with a code of the protocol's one list.
type failure struct{ code, message string }

func (f *failure) Error() string { return f.code + ": " + f.message }

// codes is that list: the number that an ERROR frame carries, the name that
// messages carry, and what HTTP calls it.
var codes = []struct {
	number rsocket.ErrorCode
	name   string
	status int
}{
	{0x301, "canceled", 499},
	{0x302, "deadline_exceeded", http.StatusGatewayTimeout},
	{0x303, "invalid_argument", http.StatusBadRequest},
	{0x304, "unknown_method", http.StatusNotFound},
	{0x305, "unauthenticated", http.StatusUnauthorized},
	{0x306, "forbidden", http.StatusForbidden},
	{0x307, "not_found", http.StatusNotFound},
	{0x308, "too_large", http.StatusRequestEntityTooLarge},
	{0x309, "overloaded", http.StatusServiceUnavailable},
	{0x30A, "unavailable", http.StatusServiceUnavailable},
	{0x30B, "internal", http.StatusInternalServerError},
	{0x30C, "unsatisfied", http.StatusNotFound},
}

// ErrorCode and ErrorData make a failure an ERROR frame when a request is
// answered with one: rsocket-go asks for both.
func (f *failure) ErrorCode() rsocket.ErrorCode {
	for _, c := range codes {
		if c.name == f.code {
			return c.number
		}
	}
	return rsocket.ErrorCodeApplicationError
}

// ErrorData is the message.
func (f *failure) ErrorData() []byte { return []byte(f.message) }

// asFailure gives any error a code.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[rsocket.Error](err); ok {
		f := &failure{"internal", string(e.ErrorData())}
		switch {
		case e.ErrorCode() < rsocket.ErrorCodeApplicationError: // it ended the line
			f.code = "unavailable"
		case e.ErrorCode() == rsocket.ErrorCodeRejected: // nothing was done
			f.code = "overloaded"
		}
		for _, c := range codes {
			if c.number == e.ErrorCode() {
				f.code = c.name
			}
		}
		return f
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{"deadline_exceeded", "the time for this request is spent"}
	case errors.Is(err, context.Canceled):
		return &failure{"canceled", "the device went away"}
	}
	return &failure{"internal", err.Error()}
}

// response is the failure as a device sees it.
func (f *failure) response() deviceResponse {
	status := http.StatusInternalServerError
	for _, c := range codes {
		if c.name == f.code {
			status = c.status
		}
	}
	return jsonResponse(status, map[string]any{"error": map[string]string{"code": f.code, "message": f.message}})
}

// jsonResponse answers with JSON.
func jsonResponse(status int, v any) deviceResponse {
	body, err := json.Marshal(v)
	if err != nil { // strings always encode
		return deviceResponse{Status: http.StatusInternalServerError}
	}
	return deviceResponse{
		Status: status,
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Body:   append(body, '\n'),
	}
}
