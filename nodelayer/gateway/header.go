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
