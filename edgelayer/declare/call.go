package declare

import (
	"context"
	"net/http"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// method is a method that runs.
type method struct {
	*methodDecl
	reading  *reading       // of one that reads
	src      *source.Source // of one that writes
	personal bool           // it has variables of the passport
	tier     *Tier
}

// few is for how many variables and arguments a call takes no room of its own.
const few = 8

// options are what the edge is to know of the method.
func (m *method) options() (opts []edgelayer.MethodOption) {
	switch {
	case m.needs != nil:
		opts = append(opts, edgelayer.NeedsPassport(*m.needs))
	case m.personal:
		opts = append(opts, edgelayer.NeedsPassport(passport.Recognised))
	case len(m.sets) > 0 || m.signs != nil:
		opts = append(opts, edgelayer.NeedsPassport(passport.Anonymous))
	}
	switch {
	case m.read != nil:
		opts = append(opts, edgelayer.Reads())
		if !m.read.keeping.off && len(m.sets) == 0 { // a passport can't be set at once
			opts = append(opts, edgelayer.AtOnce(m.atOnce))
		}
	case m.write.asks.method == http.MethodPut, m.write.asks.method == http.MethodDelete:
		opts = append(opts, edgelayer.Idempotent())
	}
	if len(m.changes) > 0 {
		opts = append(opts, edgelayer.Changes(m.changes...))
	}
	return opts
}

// run answers a call.
func (m *method) run(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error) {
	out, _, err := m.answer(ctx, codec, args, false)
	return out, err
}

// atOnce answers a call that reads, if what it reads is in memory.
func (m *method) atOnce(ctx context.Context, codec protocol.Codec, args protocol.Raw) (out protocol.Raw, ok bool, err error) {
	return m.answer(ctx, codec, args, true)
}

// answer answers a call, or reports false if that takes more than what is in memory
// and it is to be answered at once.
func (m *method) answer(ctx context.Context, codec protocol.Codec, args protocol.Raw, atOnce bool) (out protocol.Raw, ok bool, err error) {
	var roomArgs, roomVars [few]value
	given, vars := roomArgs[:0], roomVars[:0]
	if len(m.args) > few || len(m.vars) > few {
		given, vars = make([]value, 0, len(m.args)), make([]value, 0, len(m.vars))
	}
	given, vars = given[:len(m.args)], vars[:len(m.vars)]
	if err := m.decode(codec, args, given); err != nil {
		return nil, true, err
	}
	if err := m.fill(ctx, given, vars); err != nil {
		return nil, true, err
	}
	switch {
	case m.write != nil:
		out, err = m.writes(ctx, vars)
		ok = true
	case m.each != literal:
		out, ok, err = m.readsEach(ctx, vars, given[m.each].list, atOnce)
	default:
		out, ok, err = m.reads(ctx, vars, atOnce)
	}
	if ok && err == nil && codec == protocol.JSON {
		out, err = toJSON(out)
	}
	return out, ok, err
}

// fill puts arguments and passport into the places of the variables.
func (m *method) fill(ctx context.Context, given, vars []value) error {
	var p passport.Passport
	if m.personal {
		var err error
		if p, err = edgelayer.Passport(ctx); err != nil {
			return err
		}
	}
	for i, from := range m.from {
		if from != literal {
			vars[i] = given[from]
			continue
		}
		field, _ := passportField(m.vars[i])
		text, _ := p.Field(field)
		if text == "" {
			return m.lacks(field)
		}
		vars[i] = value{text: text}
	}
	return nil
}

// lacks says that the passport does not say enough, and who may know more.
func (m *method) lacks(field string) error {
	if by := m.hints[field]; by != "" && by != m.service+"."+m.name {
		return protocol.Errorf(protocol.Forbidden, "the passport names no %s; ask %s first", field, by)
	}
	return protocol.Errorf(protocol.Forbidden, "the passport names no %s", field)
}

// reads reads one value.
func (m *method) reads(ctx context.Context, vars []value, atOnce bool) (out protocol.Raw, ok bool, err error) {
	var room [128]byte
	v, ok, err := m.reading.get(ctx, string(appendKey(room[:0], vars, literal, "")), atOnce)
	if !ok || err != nil {
		return nil, ok, err
	}
	if err := m.completes(ctx, v); err != nil {
		return nil, true, err
	}
	out, err = m.picks(v)
	return out, true, err
}

// picks is what of a value is given.
func (m *method) picks(v protocol.Raw) (protocol.Raw, error) {
	if m.pick == nil {
		return v, nil
	}
	out, err := m.pick.append(make([]byte, 0, len(v)), v)
	if err != nil {
		return nil, m.unexpected(err)
	}
	return out, nil
}

// unexpected is the error for an answer that can't be picked from.
func (m *method) unexpected(err error) error {
	name := m.read.source
	return protocol.Errorf(protocol.Unavailable, "source %s: its answer is not what was expected: %w", name, err)
}

// completes sets what the answer says of the passport: a write all of it, a read what
// the passport does not say. So what another service has changed is not undone by a
// source that has not heard of it.
func (m *method) completes(ctx context.Context, v protocol.Raw) error {
	if len(m.sets) == 0 && m.signs == nil {
		return nil
	}
	p, err := edgelayer.Passport(ctx)
	if err != nil {
		return err
	}
	set := map[string]string{}
	for _, s := range m.sets {
		at, _ := find(v, s.from)
		said, _ := asText(at) // what is not there is not known
		if is, _ := p.Field(s.field); said != is && (m.read == nil || is == "") {
			set[s.field] = said
		}
	}
	if len(set) == 0 && m.signs == nil {
		return nil
	}
	if m.read != nil && edgelayer.MayChangePassport(ctx) != nil {
		return nil // who asks may read, and the passport stays as it is
	}
	return edgelayer.ChangePassport(ctx, func(p *passport.Passport) {
		if m.signs != nil {
			if *m.signs == passport.Anonymous {
				*p = passport.Passport{Device: p.Device} // signed out: nothing is left of whom it was for
			}
			p.Level = *m.signs
		}
		for field, value := range set {
			p.SetField(field, value)
		}
	})
}

// mostAtOnce is how many values are read at once: more take longer than others should
// wait.
const mostAtOnce = 100

// maxResult is about where a list of results ends: the largest frame of an edge.
const maxResult = 4 << 20

// readsEach reads a value for each element of a list.
func (m *method) readsEach(ctx context.Context, vars []value, list []string, atOnce bool) (out protocol.Raw, ok bool, err error) {
	if atOnce && len(list) > mostAtOnce {
		return nil, false, nil
	}
	each := literal
	for i, from := range m.from {
		if from == m.each {
			each = i
		}
	}
	keys := make([]string, len(list))
	var room [128]byte
	for i, element := range list {
		keys[i] = string(appendKey(room[:0], vars, each, element))
	}
	answers, ok, err := m.reading.getAll(ctx, keys, atOnce)
	if !ok || err != nil {
		return nil, ok, err
	}
	out, err = m.results(list, answers)
	return out, true, err
}

// results is what is given of the values that were read for the elements of a list.
func (m *method) results(list []string, answers []warm.Answer[protocol.Raw]) (out protocol.Raw, err error) {
	there, size := 0, 64
	var failed []int
	for i, a := range answers {
		switch {
		case a.Err == nil:
			there++
			size += len(a.Value)
		case protocol.AsError(a.Err).Code != protocol.NotFound: // a gap otherwise
			failed = append(failed, i)
		}
	}
	if len(failed) > 0 && len(failed) == len(answers) {
		return nil, answers[0].Err
	}
	out = make([]byte, 0, min(size, maxResult))
	if failed == nil {
		out = msgp.AppendMapHeader(out, 1)
	} else {
		out = msgp.AppendMapHeader(out, 2)
	}
	out = msgp.AppendString(out, m.as)
	out = msgp.AppendArrayHeader(out, uint32(there))
	for _, a := range answers {
		switch {
		case a.Err != nil:
		case len(out) > maxResult:
			return nil, protocol.Errorf(protocol.TooLarge, "the result takes more than %d bytes; ask for fewer than %d", maxResult, len(list))
		case m.pick == nil:
			out = append(out, a.Value...)
		default:
			if out, err = m.pick.append(out, a.Value); err != nil {
				return nil, m.unexpected(err)
			}
		}
	}
	if failed != nil {
		out = m.appendErrors(out, list, answers, failed)
	}
	return out, nil
}

// appendErrors appends what went wrong with some of the elements.
func (m *method) appendErrors(out []byte, list []string, answers []warm.Answer[protocol.Raw], failed []int) []byte {
	out = msgp.AppendString(out, errorsName)
	out = msgp.AppendArrayHeader(out, uint32(len(failed)))
	for _, i := range failed {
		e := protocol.AsError(answers[i].Err)
		out = msgp.AppendMapHeader(out, 4)
		out = m.args[m.each].kind.appendValue(msgp.AppendString(out, "key"), list[i])
		out = msgp.AppendString(msgp.AppendString(out, "code"), e.Code.String())
		out = msgp.AppendString(msgp.AppendString(out, "message"), e.Message)
		out = msgp.AppendBool(msgp.AppendString(out, "retry"), e.Retry)
	}
	return out
}
