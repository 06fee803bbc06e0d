package device

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// ErrGap is wrapped by the errors of [Delta.Apply] and [Devices.Take] when a delta is
// not for the table that is held: one or more before it were missed, or somebody made
// another table of the same number. A snapshot helps.
var ErrGap = errors.New("device: the delta is not for the table that is held here")

// Delta is what makes a table's next version of it. Make it with [Diff]. It never
// changes.
type Delta struct {
	version      uint64 // that results
	made         time.Time
	base, result [sha256.Size]byte
	removed      []string // prefixes, in order
	put          []Row    // added or changed, in order
	agents       []Agent
	agentsToo    bool // the rules have changed, to agents
}

// Diff is what makes one table of another. The error is that its version is not the
// other's and one more.
func Diff(from, to *Table) (*Delta, error) {
	if to.version != from.version+1 {
		return nil, fmt.Errorf("device: version %d cannot become %d by a delta, expected %d", from.version, to.version, from.version+1)
	}
	d := &Delta{version: to.version, made: to.made, base: from.Digest(), result: to.Digest()}
	for n, p := range from.prefixes {
		if m, there := slices.BinarySearch(to.prefixes, p); !there {
			d.removed = append(d.removed, p)
		} else if to.types[m] != from.types[n] {
			d.put = append(d.put, Row{p, to.types[m]})
		}
	}
	for m, p := range to.prefixes {
		if _, there := slices.BinarySearch(from.prefixes, p); !there {
			d.put = append(d.put, Row{p, to.types[m]})
		}
	}
	slices.SortFunc(d.put, byPrefix)
	if !sameAgents(from.agents.rules, to.agents.rules) {
		d.agents, d.agentsToo = to.Agents(), true
	}
	return d, nil
}

// Version is that of the table that results; it is applied to the one before.
func (d *Delta) Version() uint64 { return d.version }

// Size is how many rows the delta puts in, added or changed, and how many it
// removes; and whether the User-Agent rules change.
func (d *Delta) Size() (put, removed int, rules bool) {
	return len(d.put), len(d.removed), d.agentsToo
}

// Apply returns the next version of a table, which stays as it is. The error wraps
// [ErrGap] if the delta is not for that table, or says that what results is not what
// the publisher has.
func (d *Delta) Apply(t *Table) (*Table, error) {
	if t.version != d.version-1 || t.Digest() != d.base {
		return nil, fmt.Errorf("%w: it makes version %d of %d (%x), and this is %d (%x)",
			ErrGap, d.version, d.version-1, d.base[:4], t.version, shown(t))
	}
	rows := make([]Row, 0, min(len(t.prefixes)+len(d.put), 2*MaxRows))
	for row := range t.Rows() {
		if _, gone := slices.BinarySearch(d.removed, row.Prefix); gone {
			continue
		}
		if _, changed := slices.BinarySearchFunc(d.put, row.Prefix, func(r Row, p string) int { return strings.Compare(r.Prefix, p) }); changed {
			continue
		}
		rows = append(rows, row)
	}
	rows = append(rows, d.put...)
	rules := t.agents.rules
	if d.agentsToo {
		rules = d.agents
	}
	next, err := NewTable(d.version, d.made, rows, rules)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errContent, err)
	}
	if next.Digest() != d.result {
		return nil, fmt.Errorf("%w: version %d that results is %x, and the publisher's is %x", errContent, d.version, shown(next), d.result[:4])
	}
	return next, nil
}

// shown is as much of a table's digest as tells people which one it is.
func shown(t *Table) []byte {
	digest := t.Digest()
	return digest[:4]
}

// appendDelta writes what is not in the sealed form's head.
func appendDelta(b []byte, d *Delta) []byte {
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendInt64(b, d.made.UnixMilli())
	b = msgp.AppendArrayHeader(b, uint32(len(d.removed)))
	for _, p := range d.removed {
		b = msgp.AppendString(b, p)
	}
	b = msgp.AppendArrayHeader(b, uint32(len(d.put)))
	for _, r := range d.put {
		b = appendRow(b, r)
	}
	if !d.agentsToo {
		return msgp.AppendNil(b)
	}
	return appendAgents(b, d.agents)
}

// decodeDelta reads into d what appendDelta wrote.
func decodeDelta(d *Delta, b []byte) error {
	r := reader{rest: b}
	r.array(4, 4)
	d.made = r.time()
	for range r.array(0, MaxRows) { // out of order they remove something else, and the digest says so
		d.removed = append(d.removed, string(r.text()))
		if r.err != nil {
			break
		}
	}
	d.put = r.rows()
	if msgp.IsNil(r.rest) {
		r.rest = r.rest[1:]
	} else {
		d.agents, d.agentsToo = r.agents(), true
	}
	return r.end()
}
