package revocation

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
)

// table holds entries, sorted by their hash and each hash once, with an index over
// the first bits of the hashes. It does not change.
type table struct {
	ids   []uint64
	at    []uint32
	first []uint32 // where the hashes of a bucket begin; one more than buckets
	shift uint     // a hash shifted by it is its bucket
}

// spread is how much room the index takes.
type spread int

const (
	dense  spread = -3 // 4 to 8 entries a bucket
	sparse spread = 2  // 2 to 4 buckets an entry, so that most that is not there is seen at once
)

// newTable makes a table of sorted entries, which become its own.
func newTable(ids []uint64, at []uint32, s spread) *table {
	width := max(0, bits.Len(uint(len(ids)))+int(s))
	t := &table{ids: ids, at: at, first: make([]uint32, 1<<width+1), shift: uint(64 - width)}
	for _, id := range ids {
		t.first[id>>t.shift+1]++
	}
	for b := 1; b < len(t.first); b++ {
		t.first[b] += t.first[b-1]
	}
	return t
}

// find is when the account behind an id changed.
func (t *table) find(id uint64) (at uint32, ok bool) {
	b := id >> t.shift
	i, end := t.first[b], t.first[b+1]
	if end-i > 32 { // somebody has picked the ids
		n, found := slices.BinarySearch(t.ids[i:end], id)
		if !found {
			return 0, false
		}
		return t.at[int(i)+n], true
	}
	for ; i < end; i++ {
		if t.ids[i] == id {
			return t.at[i], true
		}
	}
	return 0, false
}

// entries are those since a time, in order.
func (t *table) entries(since uint32) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for i, id := range t.ids {
			if t.at[i] >= since && !yield(entry{id, t.at[i]}) {
				return
			}
		}
	}
}

// merge is what is in either, the later of two for one id, and of that what is
// since a time.
func merge(a, b *table, since uint32, s spread) *table {
	ids := make([]uint64, 0, len(a.ids)+len(b.ids))
	at := make([]uint32, 0, len(a.ids)+len(b.ids))
	for i, j := 0, 0; i < len(a.ids) || j < len(b.ids); {
		var e entry
		switch {
		case j == len(b.ids) || i < len(a.ids) && a.ids[i] < b.ids[j]:
			e = entry{a.ids[i], a.at[i]}
			i++
		case i == len(a.ids) || b.ids[j] < a.ids[i]:
			e = entry{b.ids[j], b.at[j]}
			j++
		default:
			e = entry{a.ids[i], max(a.at[i], b.at[j])}
			i, j = i+1, j+1
		}
		if e.at >= since {
			ids, at = append(ids, e.id), append(at, e.at)
		}
	}
	return newTable(ids, at, s)
}

// tableOf sorts entries, and keeps the later of two for one id.
func tableOf(entries []entry, s spread) *table {
	sorted := arrange(entries)
	ids, at := make([]uint64, len(sorted)), make([]uint32, len(sorted))
	for i, e := range sorted {
		ids[i], at[i] = e.id, e.at
	}
	return newTable(ids, at, s)
}

// arrange sorts a copy of entries by their hash and keeps the later of two.
func arrange(entries []entry) []entry {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b entry) int {
		switch {
		case a.id != b.id:
			return cmp.Compare(a.id, b.id)
		default:
			return cmp.Compare(b.at, a.at) // the later one stays
		}
	})
	return slices.CompactFunc(sorted, func(a, b entry) bool { return a.id == b.id })
}

// bound lets the oldest go where there are more entries than most, and has an entry
// for everyone in their place, so that nothing passes for want of room. A tenth of
// the room is made at once.
func bound(t *table, most int, s spread) *table {
	if len(t.ids) <= most {
		return t
	}
	keep := most - most/10
	times := slices.Sorted(slices.Values(t.at))
	last := times[len(times)-keep] // what is no later than this goes
	ids, at := make([]uint64, 0, keep+1), make([]uint32, 0, keep+1)
	ids, at = append(ids, everyone), append(at, last)
	for i, id := range t.ids {
		switch {
		case id == everyone:
			at[0] = max(at[0], t.at[i])
		case t.at[i] > last:
			ids, at = append(ids, id), append(at, t.at[i])
		}
	}
	return newTable(ids, at, s)
}

// digest is of the entries since a time: how many they are, and SHA-256 over them
// as they are on the wire.
func (t *table) digest(since uint32) (count uint32, sum [sha256.Size]byte) {
	h := sha256.New()
	var buf [1020]byte // a whole number of entries
	b := buf[:0]
	for e := range t.entries(since) {
		if len(b) == len(buf) {
			h.Write(b) // a hash never fails to write
			b = buf[:0]
		}
		b = appendEntry(b, e)
		count++
	}
	h.Write(b)
	h.Sum(sum[:0])
	return count, sum
}

// entryBytes is the length of an entry on the wire.
const entryBytes = 12

func appendEntry(b []byte, e entry) []byte {
	b = binary.BigEndian.AppendUint64(b, e.id)
	return binary.BigEndian.AppendUint32(b, e.at)
}

// bytes is the memory that the table takes.
func (t *table) bytes() int { return 8*cap(t.ids) + 4*cap(t.at) + 4*cap(t.first) }
