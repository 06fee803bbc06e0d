package adapter

import (
	"bytes"
	"encoding/json"
	"net/http"

	"warmline.dev/protocol"
)

// JSON makes a handler of a function: what it returns is written as JSON, and an
// error as the HTTP status of its code with a JSON body (protocol.WriteError).
func JSON(f func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		if err != nil {
			protocol.WriteError(w, protocol.AsError(err), nil)
			return
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // it is JSON, and never part of a page
		if err := enc.Encode(v); err != nil {
			protocol.WriteError(w, protocol.Errorf(protocol.Internal, "encode the answer: %w", err), nil)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b.Bytes()) // a device that has gone needs no answer
	})
}
