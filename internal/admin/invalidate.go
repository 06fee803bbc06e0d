package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/warm"
)

// Result is what has become of an invalidation.
type Result struct {
	Dropped int    `json:"dropped"` // values, at this edge
	Bus     string `json:"bus"`     // [Told], [NotTold] or [NoBus]
	// Error is why the bus was not told; empty otherwise.
	Error string `json:"error,omitempty"`
}

// What a Result says of the bus.
const (
	Told    = "told"     // the other edges hear of it
	NotTold = "not told" // they may not know
	NoBus   = "none"     // there is nobody to tell
)

// invalidations answers POST /invalidate.
type invalidations struct {
	edge Edge
	log  zerolog.Logger
}

func (n invalidations) invalidate(w http.ResponseWriter, r *http.Request) {
	i, err := readInvalidation(w, r)
	if err == nil {
		err = n.knows(i.Source)
	}
	if err != nil {
		status := http.StatusBadRequest
		if m, ok := errors.AsType[mistake](err); ok {
			status = m.status
		}
		http.Error(w, err.Error(), status)
		return
	}
	status := http.StatusOK
	result, err := n.edge.Invalidate(r.Context(), i)
	if err != nil {
		status = http.StatusServiceUnavailable
		result.Bus, result.Error = NotTold, err.Error()
	}
	n.log.Info().Stringer("what", i).Int("dropped", result.Dropped).Str("bus", result.Bus).Str("from", r.RemoteAddr).Err(err).Msg("invalidated by hand")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // who asked may have gone
}

// mistake is one that has a status of its own.
type mistake struct {
	status int
	error
}

func readInvalidation(w http.ResponseWriter, r *http.Request) (warm.Invalidation, error) {
	var none warm.Invalidation
	// A web page may send any text anywhere, but JSON only where it is let.
	if is, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || is != "application/json" {
		return none, mistake{http.StatusUnsupportedMediaType, fmt.Errorf("Content-Type %.80q: expected application/json: curl -H 'Content-Type: application/json' -d '{\"source\":\"catalogue\",\"key\":\"17\"}'", r.Header.Get("Content-Type"))}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, warm.MaxInvalidation))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return none, mistake{http.StatusRequestEntityTooLarge, fmt.Errorf("an invalidation of more than %d bytes: drop by prefix, or all of the source", warm.MaxInvalidation)}
	}
	if err != nil {
		return none, fmt.Errorf("the invalidation did not arrive: %w", err)
	}
	return warm.ParseInvalidation(text)
}

// knows is a mistake if the edge has no such source.
func (n invalidations) knows(source string) error {
	there := n.edge.Stats().Sources
	if _, ok := there[source]; ok {
		return nil
	}
	only := strings.Join(slices.Sorted(maps.Keys(there)), ", ")
	if only == "" {
		only = "none at all"
	}
	return mistake{http.StatusNotFound, fmt.Errorf("this edge has no source %.80q, only %s", source, only)}
}

// operators refuses requests of peers that don't operate, and of nobody.
func (n invalidations) operators(next http.Handler) http.Handler {
	if n.edge.Peers == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		peer, refusal := n.edge.Peers.IdentifyRequest(strings.TrimSpace(token), r.TLS)
		status := http.StatusUnauthorized
		if refusal == nil && !peer.Operates {
			status, refusal = http.StatusForbidden, n.edge.Peers.MayNot(peer, "operate an edge")
		}
		if refusal == nil {
			next.ServeHTTP(w, r)
			return
		}
		n.log.Info().Str("from", r.RemoteAddr).Str("reason", refusal.Message).Msg("request refused")
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refusal.Message = "expected a token of a peer that operates, as Authorization: Bearer, or its client certificate over https://"
		}
		http.Error(w, refusal.Message, status)
	})
}
