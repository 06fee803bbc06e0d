package declare

import (
	"bytes"
	"context"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// writes asks a source to change something, and has forgotten what that makes
// untrue.
func (m *method) writes(ctx context.Context, vars []value) (protocol.Raw, error) {
	req, err := m.write.asks.request(vars, m.types(), false)
	if err != nil {
		return nil, err
	}
	answer := protocol.Raw{0xC0} // nil, if it says nothing
	req.Accept = func(body []byte) (err error) {
		if len(bytes.TrimSpace(body)) > 0 {
			answer, err = transcode(body)
		}
		return err
	}
	if len(m.sets) > 0 || m.signs != nil {
		if err := edgelayer.ChangePassport(ctx, func(*passport.Passport) {}); err != nil {
			return nil, err // that it may not is known before anything is written
		}
	}
	err = m.src.Do(ctx, req)
	if mayHaveChanged(err) {
		for i := range m.outdates {
			m.tier.outdate(m.outdates[i].invalidation(vars))
		}
	}
	if err != nil {
		return nil, err
	}
	if !isNil(answer) {
		if err := m.completes(ctx, answer); err != nil {
			return nil, err
		}
	}
	if m.pick == nil {
		return answer, nil
	}
	return m.picks(answer)
}

// mayHaveChanged reports whether a write that ended with err may have been carried
// out.
func mayHaveChanged(err error) bool {
	if err == nil {
		return true
	}
	e := protocol.AsError(err)
	switch e.Code {
	case protocol.NotFound, protocol.InvalidArgument, protocol.Forbidden:
		return false
	}
	return !e.Retry
}

// types are those of the variables of a write.
func (m *method) types() []kind {
	types := make([]kind, len(m.vars))
	for i, from := range m.from {
		types[i] = text
		if from != literal {
			types[i] = m.args[from].kind
		}
	}
	return types
}

// invalidation is what is outdated, with the variables filled in.
func (o *outdated) invalidation(vars []value) warm.Invalidation {
	i := warm.Invalidation{Source: o.read.source, Read: o.read.name}
	if len(o.parts) == 0 {
		i.All = true
		return i
	}
	var key []byte
	for n, part := range o.parts {
		if n > 0 {
			key = append(key, '/')
		}
		text, there := part.fill(vars, func(s string) string { return s })
		if there {
			key = appendPart(key, text)
		} else {
			key = append(key, absent...)
		}
	}
	if o.prefix {
		i.Prefix = string(key) + "/"
	} else {
		i.Key = string(key)
	}
	return i
}
