package gateway

import (
	"net/http"
	"strings"
)

// forwarded are the request headers that concern the content. All others are
// between device and gateway: cookies, credentials, connections.
var forwarded = []string{
	"Accept", "Accept-Language", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "User-Agent",
}

func contentHeaders(h http.Header) map[string][]string {
	out := make(map[string][]string, len(forwarded))
	for _, name := range forwarded {
		if v := h[name]; v != nil {
			out[name] = v
		}
	}
	return out
}

// private reports whether a response header is not an adapter's to set.
func private(name string) bool {
	if strings.HasPrefix(name, http.TrailerPrefix) {
		return true // net/http would send it behind the body, whatever it is
	}
	switch http.CanonicalHeaderKey(name) {
	case "Set-Cookie", "Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length", "Warmline-Adapter":
		return true
	}
	return false
}

// keepFromCaches has nobody keep an answer that sets a cookie, whatever its adapter
// says, which does not know of that: who got it from a shared cache would be signed in
// as somebody else. Caches of CDNs go by headers of their own first (RFC 9213).
func keepFromCaches(h http.Header) {
	for name := range h {
		if strings.HasSuffix(name, "Cdn-Cache-Control") || name == "Surrogate-Control" {
			delete(h, name)
		}
	}
	h.Set("Cache-Control", "no-store")
}
