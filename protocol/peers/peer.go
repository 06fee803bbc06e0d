package peers

import (
	"fmt"
	"slices"
	"strings"

	"warmline.dev/protocol"
)

// Peer is one who may dial. One that [Peers] has given out is not to be changed.
type Peer struct {
	// Name is for logs and messages: lower-case letters, digits and "-".
	Name string

	// Certificates are DNS names and URIs, of which a client certificate has to have
	// one, byte for byte. A wildcard in either stands for nothing.
	Certificates []string
	// Tokens are the hashes of those that it may show. A peer has a certificate or a
	// token, or both: then either proves it.
	Tokens []Hash

	// Offers are the adapters that it may offer to gateways. "*" is all.
	Offers []string
	// Calls are the services that it may call at edges. "*" is all.
	Calls []string
	// Changes: what it calls may change passports, and gateways take back from the
	// adapters that it offers what services have changed.
	Changes bool
	// HandsOver: it is an edge, which takes over what edges hold, and hands over.
	HandsOver bool
	// Operates: it may do what operators do: see an edge's figures, drop what is warm.
	Operates bool
}

const all = "*"

// MayOffer reports whether it may offer an adapter.
func (p *Peer) MayOffer(adapter string) bool { return among(p.Offers, adapter) }

// MayCall reports whether it may call a service.
func (p *Peer) MayCall(service string) bool { return among(p.Calls, service) }

func among(allowed []string, name string) bool {
	return slices.Contains(allowed, all) || slices.Contains(allowed, name)
}

// offerRefusal says that it may not offer an adapter, and what it may.
func (p *Peer) offerRefusal(adapter string) *protocol.Refusal {
	return p.forbidden("offer", adapter, p.Offers)
}

// callRefusal says that it may not call services, and what it may.
func (p *Peer) callRefusal(services []string) *protocol.Refusal {
	slices.Sort(services)
	for i, s := range services {
		services[i] = plain(s)
	}
	const most = 8 // that are told
	names := strings.Join(services[:min(most, len(services))], ", ")
	if len(services) > most {
		names += ", …"
	}
	return p.forbidden("call", names, p.Calls)
}

func (p *Peer) forbidden(what, name string, allowed []string) *protocol.Refusal {
	may := "nothing"
	switch {
	case slices.Contains(allowed, all):
		may = "anything"
	case len(allowed) > 0:
		may = strings.Join(allowed, ", ")
	}
	return &protocol.Refusal{
		Code:    protocol.Forbidden,
		Message: fmt.Sprintf("peer %s may not %s %s; it may %s %s", p.Name, what, plain(name), what, may),
	}
}

// plain is a peer's text, fit for a message.
func plain(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}
