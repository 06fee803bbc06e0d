package admin

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

func (s *Server) paths(metrics http.Handler) http.Handler {
	routes := append([]route{
		{"GET /metrics", "figures for Prometheus", metrics},
		{"GET /healthz", "200 while the process serves", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })},
		{"GET /readyz", fmt.Sprintf("200 when the %s is ready, 503 and why not", s.tier.name), http.HandlerFunc(s.ready.answer)},
	}, s.tier.routes...)
	mux, list := http.NewServeMux(), ""
	for _, r := range routes {
		mux.Handle(r.pattern, r.handler)
		method, path, _ := strings.Cut(r.pattern, " ")
		list += fmt.Sprintf("%-4s %-12s %s\n", method, path, r.about)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprintf("there is no %.16s %.80q here, only\n%s", r.Method, r.URL.Path, list), http.StatusNotFound)
	})
	return mux
}

// guard refuses requests for a host that this is not. A web page's own name can be
// made to point here, and its scripts then read and send what they like; an address
// can't be made to, nor can localhost.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !isFor(r.Host, s.cfg.Address) {
			http.Error(w, fmt.Sprintf("Host %.80q: expected an IP address, localhost, or the host in the %s's admin address, %s", r.Host, s.tier.name, s.cfg.Address), http.StatusForbidden)
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
