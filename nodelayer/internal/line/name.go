package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Lookup finds the addresses of a host, as [net.Resolver.LookupHost] does. A
// target whose address begins with "dns+", such as dns+tcp://edges.example:7070,
// is all of them, and the name is looked up again as time goes by.
type Lookup func(ctx context.Context, host string) ([]string, error)

// lookupEvery is how long addresses are taken for those of a name.
const lookupEvery = 5 * time.Second

// name is a target that stands for several.
type name struct {
	target Target
	url    *url.URL // without "dns+"
}

func nameOf(t Target) (*name, bool) {
	plain, ok := strings.CutPrefix(t.Address, "dns+")
	if !ok {
		return nil, false
	}
	u, err := url.Parse(plain)
	if err != nil {
		return nil, false // the address is refused as it is
	}
	return &name{t, u}, true
}

// targets are what the name stands for. The certificate of each is to be for the
// name.
func (n *name) targets(hosts []string) map[string]Target {
	all := map[string]Target{}
	for _, host := range hosts {
		u, t := *n.url, n.target
		if u.Host = host; strings.Contains(host, ":") {
			u.Host = "[" + host + "]"
		}
		if port := n.url.Port(); port != "" {
			u.Host = net.JoinHostPort(host, port)
		}
		t.Address = u.String()
		if u.Scheme == "tls" || u.Scheme == "wss" {
			t.serverName = n.url.Hostname()
		}
		all[t.Address] = t
	}
	return all
}

// follow takes in what a name stands for, and goes on to. It waits for the first
// addresses, until ctx ends.
func (p *Pool) follow(ctx context.Context, n *name) error {
	if n.url.Hostname() == "" {
		return fmt.Errorf("address %q: expected a host name, as in dns+tcp://HOST:PORT", n.target.Address)
	}
	for wait := backoffMin; ; wait = min(2*wait, backoffMax) {
		err := p.look(ctx, n)
		if err == nil {
			break
		}
		if mistake, ok := errors.AsType[errMistake](err); ok {
			return mistake.error
		}
		p.log.Info().Str("peer", n.target.Address).Str("reason", err.Error()).Msg("no addresses yet, trying again")
		if sleep(ctx, wait) != nil {
			return fmt.Errorf("%s: %w", n.target.Address, err)
		}
	}
	p.wg.Go(func() {
		tick := time.NewTicker(lookupEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.ctx.Done():
				return
			}
			if err := p.look(p.ctx, n); err != nil { // what was found last is used
				p.log.Debug().Str("peer", n.target.Address).Str("reason", err.Error()).Msg("the name can't be looked up")
			}
		}
	})
	return nil
}

// look looks a name up once: new addresses are dialled, others finish and go.
func (p *Pool) look(ctx context.Context, n *name) error {
	hosts, err := p.lookup(ctx, n.url.Hostname())
	if err == nil && len(hosts) == 0 {
		err = errors.New("the name has no addresses")
	}
	if err != nil {
		return err
	}
	found := n.targets(hosts)
	p.mu.Lock()
	for _, m := range slices.Clone(p.members) {
		if m.of != n {
			continue
		}
		if _, still := found[m.target.Address]; !still {
			m.log.Info().Msg("the name no longer stands for this peer")
			p.remove(m)
		}
		delete(found, m.target.Address)
	}
	p.mu.Unlock()
	for _, t := range found {
		if err := p.add(t, n); err != nil {
			return errMistake{err}
		}
	}
	return nil
}
