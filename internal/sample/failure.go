package sample

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// failure is an error that a client is told, with its HTTP status.
type failure struct {
	status  int
	code    string
	message string
}

func (f *failure) Error() string { return f.message }

func badRequest(format string, args ...any) error {
	return &failure{http.StatusBadRequest, "bad_request", fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &failure{http.StatusNotFound, "not_found", fmt.Sprintf(format, args...)}
}

// gone says in so many words that there is none any more: a wrong URL is a 404 too, and
// a gateway signs nobody out for that.
func gone(err error) error {
	return &failure{http.StatusForbidden, "gone", err.Error()}
}

func unavailable(format string, args ...any) error {
	return &failure{http.StatusServiceUnavailable, "unavailable", fmt.Sprintf(format, args...)}
}

func full(format string, args ...any) error {
	return &failure{http.StatusConflict, "full", fmt.Sprintf(format, args...)}
}

// asFailure finds the failure in err. Any other error is this side's fault, and
// its text none of the client's business.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{http.StatusInternalServerError, "internal", "internal error"}
}

// clip shortens text that a client sent for use in a message, so that a message
// can't be made as long as a request.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
