package gateway

import (
	"context"
	"errors"
	"time"

	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// enter takes a line that is accepted into the table. Whose it is is looked at again,
// as peers may have been replaced since.
func (s *Server) enter(a *adapter) *rsocket.Error {
	s.entering.Lock()
	defer s.entering.Unlock()
	if refusal := s.mayOffer(a); refusal != nil {
		return &rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}
	}
	s.table.add(a)
	return nil
}

// mayOffer says why an adapter may not be offered by whoever does.
func (s *Server) mayOffer(a *adapter) *protocol.Refusal {
	peer, refusal := s.identify(a.conn)
	if refusal != nil || peer == nil {
		return refusal
	}
	return s.cfg.Peers.MayOffer(peer, a.name)
}

// mayChange says why changes of passports are not taken from an adapter.
func (s *Server) mayChange(a *adapter) error {
	peer, refusal := s.identify(a.conn)
	if refusal == nil && peer != nil && !peer.Changes {
		refusal = s.cfg.Peers.MayNot(peer, "change passports")
	}
	if refusal != nil {
		return errors.New(refusal.Message)
	}
	return nil
}

// identify finds out whose line it is; nil, where that does not matter.
func (s *Server) identify(conn *rsocket.Conn) (*peers.Peer, *protocol.Refusal) {
	if s.cfg.Peers == nil {
		return nil, nil
	}
	return s.cfg.Peers.Identify(conn.Setup(), conn.TLS())
}

// PeersChanged has every line looked at again, after [peers.Peers.Replace]. An adapter
// whose peer is no more, or may not offer it any more, is told why, answers what is
// under way and is let go.
func (s *Server) PeersChanged() {
	s.entering.Lock()
	defer s.entering.Unlock()
	for _, a := range s.table.all() {
		if refusal := s.mayOffer(a); refusal != nil {
			s.leaving.Go(func() { s.letGo(a, refusal) })
		}
	}
}

// notice is how long a line is kept that may be replaced by a better one.
const notice = time.Second

// letGo tells an adapter why, and waits for what it has been asked.
func (s *Server) letGo(a *adapter, refusal *protocol.Refusal) {
	const patience = 5 * time.Second // with a peer that does not read
	s.cfg.Log.Info().Stringer("peer", a.conn.RemoteAddr()).Stringer("adapter", a).Str("reason", refusal.Message).Msg("line is closing: its peer may not offer it any more")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = a.conn.PushMetadata(ctx, composite.Append(nil, protocol.MIMERefusal, []byte(refusal.JSON()))) // otherwise the line is lost
	select {                                                                                          // it may have a newer token, and open another line first
	case <-time.After(notice):
	case <-a.conn.Done():
	}
	ctx, cancel = context.WithTimeout(context.Background(), s.cfg.Budget)
	defer cancel()
	_ = a.conn.Shutdown(ctx) // it ends either way
}
