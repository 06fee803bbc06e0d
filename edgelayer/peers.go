package edgelayer

import (
	"maps"
	"slices"
	"strings"

	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
)

// identify finds out whose line it is, where that matters.
func (l *line) identify() *protocol.Refusal {
	if l.s.cfg.Peers == nil {
		return nil
	}
	peer, refusal := l.s.cfg.Peers.Identify(l.conn.Setup(), l.conn.TLS())
	if refusal == nil {
		l.peer.Store(peer)
	}
	return refusal
}

// resolve finds what a line wants of an offer, within what its peer may call.
func (s *Server) resolve(l *line, o *offer) (services, *protocol.Refusal) {
	if refusal := l.identify(); refusal != nil {
		return nil, refusal
	}
	peer := l.peer.Load()
	if peer == nil {
		return o.resolve(l.hello, o.versions, nil)
	}
	if refusal := s.mayWant(peer, l.hello.Wants); refusal != nil {
		return nil, refusal
	}
	versions := o.versions
	if len(l.hello.Wants) == 0 { // everything, and that is what it may call
		versions = maps.Clone(versions)
		maps.DeleteFunc(versions, func(name string, _ protocol.Versions) bool { return !peer.MayCall(name) })
	}
	return o.resolve(l.hello, versions, func(method string) bool { return mayAskEdge(peer, method) })
}

// mayWant says why a peer may not have what it wants. The edge's own service is on
// every line, and what of it may be called is looked at then.
func (s *Server) mayWant(peer *peers.Peer, wants map[string]string) *protocol.Refusal {
	if len(peer.Calls) == 0 && !peer.HandsOver && !peer.Operates {
		return s.cfg.Peers.MayNot(peer, "dial an edge: there is nothing that it may call")
	}
	var names []string
	for name := range wants {
		if name != ownService {
			names = append(names, name)
		}
	}
	return s.cfg.Peers.MayCall(peer, names...)
}

const statsMethod = "stats"

// mayAskEdge reports whether a peer may call a method of the edge's own service:
// figures are for operators too, all else is for edges alone.
func mayAskEdge(peer *peers.Peer, method string) bool {
	if method == statsMethod {
		return peer.Operates || peer.MayCall(ownService)
	}
	return peer.HandsOver
}

// find looks a method up. What the line has not got because its peer may not have it
// is forbidden, whether it is there or not.
func (l *line) find(of services, method string) (*service, *Method, error) {
	sv, m, err := of.find(method)
	if err == nil {
		return sv, m, nil
	}
	peer := l.peer.Load()
	if peer == nil {
		return nil, nil, err
	}
	var refusal *protocol.Refusal
	name, short, _ := strings.Cut(method, ".")
	if name != ownService {
		refusal = l.s.cfg.Peers.MayCall(peer, name)
	} else if l.s.isOwn(short) && !mayAskEdge(peer, short) {
		refusal = l.s.cfg.Peers.MayNot(peer, "call "+method)
	}
	if refusal != nil {
		err = protocol.Errorf(refusal.Code, "%s", refusal.Message)
	}
	return nil, nil, err
}

func (s *Server) isOwn(method string) bool {
	return method == statsMethod || slices.ContainsFunc(s.cfg.Own, func(m Method) bool { return m.name == method })
}

// PeersChanged has every line looked at again, after [peers.Peers.Replace]. One whose
// peer is no more, or may not have what it wants any more, is told why, finishes what
// is under way and is closed; one whose rights have changed has the new ones.
func (s *Server) PeersChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resolveAll()
}

// resolveAll resolves the wants of every line anew, and tells of what has changed.
// The caller holds mu.
func (s *Server) resolveAll() {
	for l := range s.open {
		found, refusal := s.resolve(l, s.offer)
		if refusal == nil {
			if l.services.Swap(&found).same(found) {
				continue
			}
		}
		s.telling.Go(func() { l.tell(refusal) })
	}
}
