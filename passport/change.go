package passport

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// MaxChanges is how many changes a passport takes.
const MaxChanges = 16

// Change is what a service has changed of a passport.
type Change struct {
	By string    // "members@1.2.0"
	At time.Time // when; never before a change that it followed
	// Set is what was set, by field, the level as its name, and "" for a preference
	// that was taken away.
	Set map[string]string
	// Follows are those of the passport's changes that this one knew last, counted from
	// 0: more than one where they did not know of one another. None: it knew of none.
	Follows []int
}

// Conflict is a field that two changes have set which knew nothing of one another.
type Conflict struct {
	Field string
	Kept  int // whose value it is, of [History.Changes]
	Lost  int
}

// change is a link that has been read.
type change struct {
	follows set // among the links: 0 is what was minted
	knows   set // the links that these follow, and so on, too
	by      string
	at      int64 // µs since 1970
	set     settings
	mac     []byte
}

// appendChange appends the body of a change.
func appendChange(b []byte, by string, at int64, set settings) []byte {
	b = msgp.AppendArrayHeader(b, 3)
	b = msgp.AppendString(b, by)
	b = msgp.AppendInt64(b, at)
	b = msgp.AppendMapHeader(b, uint32(len(set)))
	for _, s := range set {
		b = msgp.AppendString(b, s.field)
		switch {
		case s.field == levelField:
			b = msgp.AppendUint8(b, uint8(s.level))
		case s.none:
			b = msgp.AppendNil(b)
		default:
			b = msgp.AppendString(b, s.text)
		}
	}
	return b
}

const maxSet = 6 + 2*maxPreferences // fields that one change can set

// set is a set of links, by their places.
type set uint32

func (s set) has(i int) bool { return s&(1<<i) != 0 }

// parseChange reads a link behind those before, a change.
func parseChange(l *link, before []link) (change, error) {
	c := change{mac: l.mac}
	b := newBody(l.body)
	b.array(3)
	c.by = b.string(maxText)
	c.at = b.int()
	n := b.entries(maxSet)
	c.set = make(settings, 0, min(n, 8))
	field := ""
	for range n {
		b.name(len(preferences)+maxName, &field)
		s := setting{field: field}
		name, preference := strings.CutPrefix(field, preferences)
		preference = preference && validName(name)
		switch {
		case field == levelField:
			s.level = b.level()
		case preference && msgp.IsNil(b.left):
			s.none, b.left = true, b.left[1:]
		case preference:
			s.text = b.string(maxPreference)
		case slices.Contains(Fields, field):
			s.text = b.string(maxText)
		default:
			b.fail()
		}
		c.set = append(c.set, s)
	}
	for mac := range slices.Chunk(l.after, afterLen) {
		i := place(before, mac)
		if i < 0 || c.follows.has(i) {
			b.fail()
			break
		}
		c.follows |= 1 << i
	}
	return c, b.end()
}

// chain is a passport with its changes.
type chain struct {
	minted  Passport
	changes []change // each behind those it follows
}

// parse reads the links of a sealed passport. They have been verified, or whoever
// sent them is trusted.
func parse(list []link) (*chain, error) {
	minted, err := parseBody(list[0].body)
	if err != nil {
		return nil, err
	}
	c := &chain{minted: minted}
	for i := range list[1:] {
		next, err := parseChange(&list[i+1], list[:i+1])
		if err != nil {
			return nil, err
		}
		next.knows = next.follows
		for j := range c.changes {
			if !next.follows.has(j + 1) {
				continue
			}
			if next.at <= c.changes[j].at {
				return nil, ErrMalformed
			}
			next.knows |= c.changes[j].knows
		}
		c.changes = append(c.changes, next)
	}
	return c, nil
}

// inOrder lists the changes in the order in which they count: by time, and what
// was at the same time by signature, so that all who look find the same.
func (c *chain) inOrder() []int {
	order := make([]int, len(c.changes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &c.changes[a], &c.changes[b]
		return cmp.Or(cmp.Compare(x.at, y.at), bytes.Compare(x.mac, y.mac))
	})
	return order
}

// knew reports whether change a followed change b, over whatever was between.
func (c *chain) knew(a, b int) bool { return c.changes[a].knows.has(b + 1) }

// last are the MACs of those of the links that no other one follows.
func (c *chain) last(list []link) (macs []byte) {
	var followed set
	for i := range c.changes {
		followed |= c.changes[i].follows
	}
	for i := range list {
		if !followed.has(i) {
			macs = append(macs, list[i].mac...)
		}
	}
	return macs
}

// claim is what a change has set.
type claim struct {
	setting
	by int
}

// now is the passport with all changes: of two of the same field the later counts;
// of two of the level that knew nothing of one another, the lower.
func (c *chain) now() (Passport, []Conflict) {
	if len(c.changes) == 0 {
		return c.minted, nil
	}
	p := c.minted.Clone()
	var conflicts []Conflict
	var claims []claim // those that nobody who knew of them has set anew
	for _, i := range c.inOrder() {
		p.Origin = c.changes[i].by
		for _, s := range c.changes[i].set {
			claims = slices.DeleteFunc(claims, func(other claim) bool { return other.field == s.field && c.knew(i, other.by) })
			kept, lost := claim{s, i}, against(claims, s.field)
			claims = append(claims, kept)
			if lost.field == levelField && lost.level < kept.level {
				kept, lost = lost, kept
			}
			p.apply(kept.setting)
			if lost.field != "" && lost.value() != kept.value() {
				conflicts = append(conflicts, Conflict{Field: s.field, Kept: kept.by, Lost: lost.by})
			}
		}
	}
	return p, conflicts
}

// against is what counts of a field among claims in their order; the zero value: it has none.
func against(claims []claim, field string) (counts claim) {
	for _, c := range claims {
		if c.field == field && (field != levelField || counts.field == "" || c.level < counts.level) {
			counts = c
		}
	}
	return counts
}

// History is who made a passport what it is.
type History struct {
	Minted    Passport // before any change
	Changes   []Change // each behind those it followed
	Conflicts []Conflict
	Now       Passport
}

func (c *chain) history() History {
	h := History{Minted: c.minted}
	h.Now, h.Conflicts = c.now()
	for i := range c.changes {
		from := &c.changes[i]
		values := make(map[string]string, len(from.set))
		for _, s := range from.set {
			values[s.field] = s.value()
		}
		var follows []int
		for j := range i {
			if from.follows.has(j + 1) {
				follows = append(follows, j)
			}
		}
		h.Changes = append(h.Changes, Change{By: from.by, At: time.UnixMicro(from.at).UTC(), Set: values, Follows: follows})
	}
	return h
}
