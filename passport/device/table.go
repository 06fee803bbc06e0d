package device

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// Table says of which type a device is. It never changes, so it is safe for
// concurrent use. The zero value knows nothing.
type Table struct {
	version  uint64
	made     time.Time
	prefixes []string // in order
	parents  []int32  // of each, the longest other one that it begins with; -1: none
	types    []Type   // of each
	agents   agents

	once   sync.Once
	digest [sha256.Size]byte // once it was asked for
}

// NewTable makes a table of rows, in whatever order, and of User-Agent rules, the
// first of which decides. Made has millisecond precision. All is copied. The error
// is about the first thing that makes no sense: a version of 0, too many, a row or
// rule that breaks what their types say, a prefix given twice, an ID that is two
// different types.
func NewTable(version uint64, made time.Time, rows []Row, rules []Agent) (*Table, error) {
	switch {
	case version == 0:
		return nil, fmt.Errorf("device: version 0, expected 1 or more")
	case made.UnixMilli() <= 0:
		return nil, fmt.Errorf("device: made %v, expected a time after 1970", made)
	case len(rows) > MaxRows:
		return nil, fmt.Errorf("device: %d rows, expected at most %d", len(rows), MaxRows)
	}
	if !slices.IsSortedFunc(rows, byPrefix) {
		rows = slices.SortedFunc(slices.Values(rows), byPrefix)
	}
	t := &Table{
		version: version, made: time.UnixMilli(made.UnixMilli()).UTC(),
		prefixes: make([]string, len(rows)), parents: make([]int32, len(rows)), types: make([]Type, len(rows)),
	}
	ids := make(map[string]*Type, len(rows))
	same := func(one *Type) error {
		if there := ids[one.ID]; there == nil {
			ids[one.ID] = one
		} else if *there != *one {
			return fmt.Errorf("id %q is two types, %v and %v: expected one", one.ID, *there, *one)
		}
		return nil
	}
	var all strings.Builder // the prefixes lie together, as they are searched together
	for n := range rows {
		r := &rows[n]
		err := checkPrefix(r.Prefix)
		if err == nil {
			err = r.Type.check()
		}
		if err == nil && n > 0 && rows[n-1].Prefix == r.Prefix {
			err = fmt.Errorf("given twice")
		}
		if err == nil {
			err = same(&r.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("device: row %.80q: %w", r.Prefix, err)
		}
		all.WriteString(r.Prefix)
		t.types[n] = r.Type
	}
	text, at := all.String(), 0
	for n := range rows {
		end := at + len(rows[n].Prefix)
		t.prefixes[n], at = text[at:end], end
	}
	for n := range rules {
		err := rules[n].check()
		if err == nil {
			err = same(&rules[n].Type)
		}
		if err != nil {
			return nil, fmt.Errorf("device: User-Agent rule %d: %w", n+1, err)
		}
	}
	if err := t.agents.set(rules); err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	t.setParents()
	return t, nil
}

func byPrefix(a, b Row) int { return strings.Compare(a.Prefix, b.Prefix) }

// setParents finds each prefix's longest other one that it begins with. In their
// order, a prefix's parent is still open when it comes.
func (t *Table) setParents() {
	var open []int32
	for n, p := range t.prefixes {
		for len(open) > 0 && !strings.HasPrefix(p, t.prefixes[open[len(open)-1]]) {
			open = open[:len(open)-1]
		}
		t.parents[n] = -1
		if len(open) > 0 {
			t.parents[n] = open[len(open)-1]
		}
		open = append(open, int32(n))
	}
}

// Lookup says of which type a device is: by its ESN, the longest prefix of which
// decides; where none is known, by its User-Agent, the first rule of which decides;
// else it is [Unknown]. Either may be empty, and whatever a device says: of an ESN as
// much is read as a prefix may have, of a User-Agent 512 bytes. It allocates nothing.
func (t *Table) Lookup(esn, userAgent string) Type {
	if n := t.find(esn); n >= 0 {
		return t.types[n]
	}
	if a := t.agents.find(userAgent); a != nil {
		return a.Type
	}
	return Unknown()
}

// find returns the longest prefix of an ESN, -1 if there is none. It is the last
// one that is not behind the ESN in their order, or that one's parent, or its
// parent's: what stands between a prefix and the ESN begins with that prefix.
func (t *Table) find(esn string) int32 {
	if esn == "" {
		return -1
	}
	from, to := 0, len(t.prefixes)
	for from < to {
		if middle := int(uint(from+to) >> 1); t.prefixes[middle] <= esn {
			from = middle + 1
		} else {
			to = middle
		}
	}
	n := int32(from) - 1
	for n >= 0 && !strings.HasPrefix(esn, t.prefixes[n]) {
		n = t.parents[n]
	}
	return n
}

// Version is the table's number; a later table has a higher one.
func (t *Table) Version() uint64 { return t.version }

// Made is when its data was made, whoever got it when.
func (t *Table) Made() time.Time { return t.made }

// Len is how many ESN prefixes it has.
func (t *Table) Len() int { return len(t.prefixes) }

// Rows are its ESN prefixes in order.
func (t *Table) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for n, p := range t.prefixes {
			if !yield(Row{p, t.types[n]}) {
				return
			}
		}
	}
}

// Agents returns a copy of its User-Agent rules in order.
func (t *Table) Agents() []Agent { return cloneAgents(t.agents.rules) }

// Types are the types that it has, each once, in the order of their IDs.
func (t *Table) Types() []Type {
	byID := make(map[string]Type, len(t.types))
	for _, one := range t.types {
		byID[one.ID] = one
	}
	for _, a := range t.agents.rules {
		byID[a.Type.ID] = a.Type
	}
	all := make([]Type, 0, len(byID))
	for _, one := range byID {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Type) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Digest is SHA-256 of the table's content as package documentation has it: two
// tables that have the same are the same.
func (t *Table) Digest() [sha256.Size]byte {
	t.once.Do(func() { t.digest = sha256.Sum256(appendContent(nil, t)) })
	return t.digest
}
