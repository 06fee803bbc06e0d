package edgelayer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket/composite"
)

// offer is the services that an edge has at one time. It does not change.
type offer struct {
	services map[string]map[string]*service // by name and version
	versions protocol.Offers
}

// services are what one line resolved to, by name.
type services map[string]*service

func (s *Server) newOffer(declared []Service) (*offer, error) {
	o := &offer{services: map[string]map[string]*service{}, versions: protocol.Offers{}}
	own := s.own()
	err := o.add(own)
	for _, sv := range declared {
		if err == nil && sv.Name == own.Name {
			err = fmt.Errorf("edgelayer: service name %q is taken by the edge's own", sv.Name)
		}
		if err == nil {
			err = o.add(sv)
		}
	}
	return o, err
}

func (o *offer) add(decl Service) error {
	sv, err := newService(decl)
	if err != nil {
		return err
	}
	v := sv.version.String()
	if o.services[sv.name] == nil {
		o.services[sv.name] = map[string]*service{}
	}
	if o.services[sv.name][v] != nil {
		return fmt.Errorf("edgelayer: service %s %s is declared twice", sv.name, v)
	}
	o.services[sv.name][v] = sv
	o.versions[sv.name] = append(o.versions[sv.name], sv.version)
	return nil
}

// resolve finds what a line wants among versions, and those of the edge's own methods
// that it may call; nil: all.
func (o *offer) resolve(hello protocol.Hello, versions protocol.Offers, own func(method string) bool) (services, *protocol.Refusal) {
	resolved, refusal := protocol.Resolve(hello.Wants, versions)
	if refusal != nil {
		return nil, refusal
	}
	found := services{}
	for name, v := range resolved {
		found[name] = o.services[name][v.String()]
	}
	for _, sv := range o.services[ownService] {
		found[ownService] = sv
		if own != nil {
			found[ownService] = sv.only(own)
		}
	}
	return found, nil
}

// find looks a method up.
func (s services) find(method string) (*service, *Method, error) {
	name, short, _ := strings.Cut(method, ".")
	sv := s[name]
	if sv == nil {
		return nil, nil, protocol.Errorf(protocol.UnknownMethod, "%q: this line has %s", clip(method), strings.Join(slices.Sorted(maps.Keys(s)), ", "))
	}
	m := sv.methods[short]
	if m == nil {
		return nil, nil, protocol.Errorf(protocol.UnknownMethod, "%q: %s %s has %s", clip(method), sv.name, sv.version, strings.Join(slices.Sorted(maps.Keys(sv.methods)), ", "))
	}
	return sv, m, nil
}

// known is find for a name as it stands in a message; the method is nil if there is none.
func (s services) known(method []byte) (*service, *Method) {
	name, short, _ := bytes.Cut(method, []byte{'.'})
	sv := s[string(name)]
	if sv == nil {
		return nil, nil
	}
	return sv, sv.methods[string(short)]
}

// Offer replaces the services that the server offers, while lines are open: the
// error says what is wrong with them, and then nothing has changed.
//
// Every line resolves its wants anew and is told if that changes anything. What is
// under way keeps the versions that it began with, new conversations and calls
// have the new ones. A line of which a want can't be satisfied any more is told
// why, finishes what is under way and is closed.
func (s *Server) Offer(declared ...Service) error {
	o, err := s.newOffer(declared)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offer = o
	s.resolveAll()
	return nil
}

func (s *services) same(other services) bool {
	return maps.EqualFunc(*s, other, func(a, b *service) bool { return a.version.Equal(b.version) })
}

// admit resolves a new line's wants, from when on it is told of changes. Whose it is
// is looked at again, as peers may have been replaced since.
func (s *Server) admit(l *line) *protocol.Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, refusal := s.resolve(l, s.offer)
	if refusal == nil {
		l.services.Store(&found)
		s.open[l] = struct{}{}
	}
	return refusal
}

// notice is how long a line is kept that may be replaced by a better one.
const notice = time.Second

// tell says on the line what has become of what it wanted.
func (l *line) tell(refusal *protocol.Refusal) {
	const patience = 5 * time.Second // with a peer that does not read
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if refusal == nil {
		l.telling.Lock() // so that the last one that is told is the last
		defer l.telling.Unlock()
		data, err := l.codec.Marshal(l.welcome())
		if err == nil {
			_ = l.conn.PushMetadata(ctx, composite.Append(nil, protocol.MIMEWelcome, data)) // otherwise the line is lost
		}
		return
	}
	l.s.cfg.Log.Info().Stringer("peer", l.conn.RemoteAddr()).Str("name", l.hello.Name).Str("reason", refusal.Message).Msg("line is closing: it can't have what it wants any more")
	_ = l.conn.PushMetadata(ctx, composite.Append(nil, protocol.MIMERefusal, []byte(refusal.JSON()))) // the same
	if refusal.Code == protocol.Unauthenticated || refusal.Code == protocol.Forbidden {
		select { // it may have a newer token, and open another line first
		case <-time.After(notice):
		case <-l.conn.Done():
		}
	}
	ctx, cancel = context.WithTimeout(context.Background(), l.s.cfg.MaxBudget)
	defer cancel()
	_ = l.conn.Shutdown(ctx) // it ends either way
}
