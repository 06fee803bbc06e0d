package protocol

import (
	"context"
	"crypto/rand"
	"encoding/hex"
)

type traceKey struct{}

// WithTraceparent returns a context whose calls carry this W3C traceparent.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Traceparent is the W3C traceparent of ctx, "" if there is none.
func Traceparent(ctx context.Context) string {
	s, _ := ctx.Value(traceKey{}).(string)
	return s
}

// NewTraceparent makes one that starts a trace, not sampled.
func NewTraceparent() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return "00-" + hex.EncodeToString(b[:16]) + "-" + hex.EncodeToString(b[16:]) + "-00"
}

// ValidTraceparent reports whether s is a version 00 traceparent (W3C Trace
// Context, section 3.2): "00-" 32 hex "-" 16 hex "-" 2 hex, lower case, neither
// id all zeros.
func ValidTraceparent(s string) bool {
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	trace, parent := s[3:35], s[36:52]
	return isHex(trace) && isHex(parent) && isHex(s[53:]) && !isZero(trace) && !isZero(parent)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isZero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}
