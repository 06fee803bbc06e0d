package edgelayer

import (
	"context"
	"time"

	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol/peers"
)

// Stats are an edge's figures, as edge.stats returns them.
type Stats struct {
	Name          string                  `json:"name"`
	Version       string                  `json:"version"`
	Uptime        string                  `json:"uptime"`
	Lines         int64                   `json:"lines"`         // open now
	Conversations int64                   `json:"conversations"` // open now
	Calls         int64                   `json:"calls"`         // since the start
	Failures      int64                   `json:"failures"`      // calls that failed
	References    int64                   `json:"references"`    // resolved
	ViewHits      int64                   `json:"view_hits"`     // calls that their conversation had asked before
	Refused       int64                   `json:"refused"`       // conversations and single calls, as overloaded
	Peers         peers.Stats             `json:"peers"`         // who was refused for who it is
	AtOnce        int                     `json:"at_once"`       // calls that may run at once now, as measured; 0: no limit
	Services      map[string][]string     `json:"services"`
	Caches        map[string]warm.Stats   `json:"caches"`
	Sources       map[string]source.Stats `json:"sources"`
}

// Stats returns the figures now.
func (s *Server) Stats() Stats {
	st := Stats{
		Name: s.cfg.Name, Version: s.cfg.Version, Uptime: time.Since(s.started).Round(time.Second).String(),
		Lines: s.lines.Load(), Conversations: s.conversations.Load(), Calls: s.calls.Load(), Failures: s.failures.Load(),
		References: s.references.Load(), ViewHits: s.viewHits.Load(),
		Refused: s.load.refused.Load(), AtOnce: s.load.limit(),
		Services: map[string][]string{}, Caches: map[string]warm.Stats{}, Sources: map[string]source.Stats{},
	}
	s.mu.Lock()
	offered := s.offer.versions
	s.mu.Unlock()
	for name, versions := range offered {
		st.Services[name] = versions.Strings()
	}
	if s.cfg.Peers != nil {
		st.Peers = s.cfg.Peers.Stats()
	}
	if s.cfg.Figures != nil {
		st.Caches, st.Sources = s.cfg.Figures()
	}
	return st
}

const ownService = "edge"

// own is the service that every edge has.
func (s *Server) own() Service {
	stats := NewMethod(statsMethod, func(context.Context, struct{}) (Stats, error) { return s.Stats(), nil }, Idempotent())
	return Service{Name: ownService, Version: "1.0.0", Methods: append([]Method{stats}, s.cfg.Own...)}
}
