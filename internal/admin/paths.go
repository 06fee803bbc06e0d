package admin

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const list = `GET  /metrics     figures for Prometheus
GET  /healthz     200 while the process serves
GET  /readyz      200 when the edge is ready, 503 and why not
POST /invalidate  drops what has changed: {"source":"catalogue","key":"17"}
`

func (s *Server) paths(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready.answer)
	mux.HandleFunc("POST /invalidate", s.operators(s.invalidate))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprintf("there is no %.16s %.80q here, only\n%s", r.Method, r.URL.Path, list), http.StatusNotFound)
	})
	return mux
}

// operators refuses requests of peers that don't operate, and of nobody.
func (s *Server) operators(next http.HandlerFunc) http.HandlerFunc {
	if s.cfg.Peers == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		peer, refusal := s.cfg.Peers.IdentifyRequest(strings.TrimSpace(token), r.TLS)
		status := http.StatusUnauthorized
		if refusal == nil && !peer.Operates {
			status, refusal = http.StatusForbidden, s.cfg.Peers.MayNot(peer, "operate an edge")
		}
		if refusal == nil {
			next(w, r)
			return
		}
		s.cfg.Log.Info().Str("from", r.RemoteAddr).Str("reason", refusal.Message).Msg("request refused")
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refusal.Message = "expected a token of a peer that operates, as Authorization: Bearer, or its client certificate over https://"
		}
		http.Error(w, refusal.Message, status)
	}
}

// guard refuses requests for a host that this is not. A web page's own name can be
// made to point here, and its scripts then read and send what they like; an address
// can't be made to, nor can localhost.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !isFor(r.Host, s.cfg.Address) {
			http.Error(w, fmt.Sprintf("Host %.80q: expected an IP address, localhost, or the host in the edge's admin address, %s", r.Host, s.cfg.Address), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isFor reports whether a request for a host is one for the port at address.
func isFor(hostPort, address string) bool {
	own, _, _ := net.SplitHostPort(address) // Start has looked at it
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil { // there is no port
		host = strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host != "" && (strings.EqualFold(host, "localhost") || strings.EqualFold(host, own))
}
