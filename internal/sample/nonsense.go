package sample

import (
	"bytes"
	"io"
	"net/http"
)

const (
	garbage   = "\x00\xff<html>{\"id\":"
	hugeBytes = 10 << 20
	hugeChunk = 64 << 10
)

// writeGarbage says that what follows is JSON.
func writeGarbage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, garbage) // see writeJSON
}

// writeHuge sends one JSON object, without its length in advance. The error is
// that the client has gone before the end.
func writeHuge(w http.ResponseWriter) error {
	const head, tail = `{"padding":"`, "\"}\n"
	w.Header().Set("Content-Type", "application/json")
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	chunk := bytes.Repeat([]byte("x"), hugeChunk)
	for left := hugeBytes - len(head) - len(tail); left > 0; left -= hugeChunk {
		if _, err := w.Write(chunk[:min(left, hugeChunk)]); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, tail)
	return err
}
