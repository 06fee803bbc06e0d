package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// kind is what a message says; doc.go has each byte for byte.
type kind byte

const (
	kindChange kind = 1 // these have changed
	kindBeat   kind = 2 // so much has been said, and so much is held
	kindPart   kind = 3 // a part of all that is held
	kindAsk    kind = 4 // who can tell me what I have missed?
)

const (
	// maxEntries is the most entries in a message: 60,000 bytes.
	maxEntries = 5000
	// maxParts is the most messages of a snapshot, and so 5.1 million entries.
	maxParts = 1024
	// maxMarks is the most publishers that an ask names, and that a set follows.
	maxMarks = 16
)

// head is what every message begins with.
type head struct {
	epoch uint64 // a number of who sends it, drawn anew at each start
	seq   uint64 // of the last change that it has told
	sent  int64  // milliseconds since 1970, by its clock; grows with each message
}

// beat says what there is, so that who holds the same knows it.
type beat struct {
	head
	since uint32 // the entries since this time, in seconds since 1970
	count uint32 // are so many
	sum   [sha256.Size]byte
}

// part is one of the messages of a snapshot.
type part struct {
	head
	total   uint32 // entries in all
	n, of   uint16 // which part, from 0, of how many
	entries []entry
}

// change is entries that are new.
type change struct {
	head
	entries []entry
}

// mark is how far somebody has heard a publisher.
type mark struct{ epoch, seq uint64 }

// ask is a question for a snapshot.
type ask struct {
	head
	marks []mark
}

const headBytes = 24

func (h head) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, h.epoch)
	b = binary.BigEndian.AppendUint64(b, h.seq)
	return binary.BigEndian.AppendUint64(b, uint64(h.sent))
}

func appendEntries(b []byte, entries []entry) []byte {
	for _, e := range entries {
		b = appendEntry(b, e)
	}
	return b
}

func (m change) body() []byte { return appendEntries(m.append(nil), m.entries) }

func (m beat) body() []byte {
	b := m.append(nil)
	b = binary.BigEndian.AppendUint32(b, m.since)
	b = binary.BigEndian.AppendUint32(b, m.count)
	return append(b, m.sum[:]...)
}

func (m part) body() []byte {
	b := m.append(nil)
	b = binary.BigEndian.AppendUint32(b, m.total)
	b = binary.BigEndian.AppendUint16(b, m.n)
	b = binary.BigEndian.AppendUint16(b, m.of)
	return appendEntries(b, m.entries)
}

func (m ask) body() []byte {
	b := m.append(nil)
	for _, mark := range m.marks {
		b = binary.BigEndian.AppendUint64(b, mark.epoch)
		b = binary.BigEndian.AppendUint64(b, mark.seq)
	}
	return b
}

// parse reads the body of a message that is signed: a change, beat, part or ask.
func parse(k kind, b []byte) (any, error) {
	if len(b) < headBytes {
		return nil, fmt.Errorf("%w: a body of %d bytes, expected at least %d", ErrMalformed, len(b), headBytes)
	}
	h := head{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), int64(binary.BigEndian.Uint64(b[16:]))}
	if h.sent <= 0 {
		return nil, fmt.Errorf("%w: sent in 1970 or before", ErrMalformed)
	}
	b = b[headBytes:]
	switch k {
	case kindChange:
		return parseChange(h, b)
	case kindBeat:
		return parseBeat(h, b)
	case kindPart:
		return parsePart(h, b)
	case kindAsk:
		return parseAsk(h, b)
	default:
		return nil, fmt.Errorf("%w: kind %d, expected 1 to 4", ErrMalformed, k)
	}
}

func parseChange(h head, b []byte) (change, error) {
	entries, err := parseEntries(b)
	if err == nil && (len(entries) == 0 || h.seq == 0) {
		err = fmt.Errorf("%w: change %d of %d entries, expected a number and at least one entry", ErrMalformed, h.seq, len(entries))
	}
	return change{h, entries}, err
}

func parseBeat(h head, b []byte) (beat, error) {
	m := beat{head: h}
	if len(b) != 8+len(m.sum) {
		return m, fmt.Errorf("%w: a beat of %d bytes, expected %d", ErrMalformed, len(b), 8+len(m.sum))
	}
	m.since, m.count = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	copy(m.sum[:], b[8:])
	return m, nil
}

func parsePart(h head, b []byte) (part, error) {
	m := part{head: h}
	if len(b) < 8 {
		return m, fmt.Errorf("%w: a part of %d bytes, expected at least 8", ErrMalformed, len(b))
	}
	m.total = binary.BigEndian.Uint32(b)
	m.n, m.of = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	var err error
	if m.entries, err = parseEntries(b[8:]); err != nil {
		return m, err
	}
	// All parts but the last are full, so it is known how many there are.
	parts := max(1, (uint64(m.total)+maxEntries-1)/maxEntries)
	want := min(uint64(m.total)-uint64(m.n)*maxEntries, maxEntries) // of what is no part, checked next
	if parts > maxParts || uint64(m.of) != parts || m.n >= m.of || uint64(len(m.entries)) != want {
		return m, fmt.Errorf("%w: part %d of %d has %d of %d entries: expected at most %d parts of %d, all but the last full",
			ErrMalformed, m.n, m.of, len(m.entries), m.total, maxParts, maxEntries)
	}
	return m, nil
}

func parseAsk(h head, b []byte) (ask, error) {
	m := ask{head: h}
	if len(b)%16 != 0 || len(b) > 16*maxMarks {
		return m, fmt.Errorf("%w: an ask with %d bytes of marks, expected at most %d of 16", ErrMalformed, len(b), maxMarks)
	}
	for ; len(b) > 0; b = b[16:] {
		m.marks = append(m.marks, mark{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])})
	}
	return m, nil
}

// parseEntries wants them sorted, each hash once.
func parseEntries(b []byte) ([]entry, error) {
	if len(b)%entryBytes != 0 || len(b) > entryBytes*maxEntries {
		return nil, fmt.Errorf("%w: %d bytes of entries, expected at most %d of %d", ErrMalformed, len(b), maxEntries, entryBytes)
	}
	entries := make([]entry, len(b)/entryBytes)
	for i := range entries {
		entries[i] = entry{binary.BigEndian.Uint64(b[entryBytes*i:]), binary.BigEndian.Uint32(b[entryBytes*i+8:])}
		if i > 0 && entries[i].id <= entries[i-1].id {
			return nil, fmt.Errorf("%w: entry %d is not sorted behind the one before", ErrMalformed, i)
		}
	}
	return entries, nil
}

// snapshot is the messages that tell of all entries, which are sorted.
func snapshot(h head, all []entry) []part {
	of := max(1, (len(all)+maxEntries-1)/maxEntries)
	parts := make([]part, of)
	for n := range parts {
		from := n * maxEntries
		parts[n] = part{h, uint32(len(all)), uint16(n), uint16(of), all[from:min(from+maxEntries, len(all))]}
	}
	return parts
}
