package revocation

import (
	"time"

	"warmline.dev/passport"
)

// MaxEntries is the most entries in a message.
const MaxEntries = maxEntries

// Entry is one as tests write it.
type Entry struct {
	ID string // "*" is everyone
	At time.Time
}

// Teller says what a publisher says, one message at a time.
type Teller struct {
	Key        passport.Key
	Epoch, Seq uint64
	Sent       time.Time
}

func (p *Teller) head() head {
	p.Sent = p.Sent.Add(time.Millisecond)
	return head{p.Epoch, p.Seq, p.Sent.UnixMilli()}
}

func entriesOf(list []Entry) []entry {
	entries := make([]entry, 0, len(list))
	for _, e := range list {
		id := Hash(e.ID)
		if e.ID == "*" {
			id = everyone
		}
		entries = append(entries, entry{id, seconds(e.At)})
	}
	return arrange(entries)
}

// Change is the next change.
func (p *Teller) Change(list ...Entry) []byte {
	p.Seq++
	return p.Sign(byte(kindChange), change{p.head(), entriesOf(list)}.body())
}

// Beat says that all is told, and that this is all there is.
func (p *Teller) Beat(all ...Entry) []byte { return p.BeatSince(time.Unix(0, 0), all...) }

// BeatSince says that this is all there is since a time.
func (p *Teller) BeatSince(since time.Time, all ...Entry) []byte {
	m := beat{head: p.head(), since: seconds(since)}
	m.count, m.sum = tableOf(entriesOf(all), dense).digest(m.since)
	return p.Sign(byte(kindBeat), m.body())
}

// Snapshot is all there is, in parts.
func (p *Teller) Snapshot(all ...Entry) (parts [][]byte) {
	for _, m := range snapshot(p.head(), entriesOf(all)) {
		parts = append(parts, p.Sign(byte(kindPart), m.body()))
	}
	return parts
}

// Ask is what a gateway asks.
func (p *Teller) Ask() []byte { return p.Sign(byte(kindAsk), ask{p.head(), nil}.body()) }

// Sign signs whatever it is given.
func (p *Teller) Sign(k byte, body []byte) []byte {
	ring, err := newKeys([]passport.Key{p.Key})
	if err != nil {
		panic(err)
	}
	return ring.seal(kind(k), body)
}

// Held is what a window has: hash and time.
func Held(w *Window) (held [][2]uint64) {
	for e := range w.all().entries(0) {
		held = append(held, [2]uint64{e.id, uint64(e.at)})
	}
	return held
}

// Sorted is the same of entries.
func Sorted(list []Entry) (held [][2]uint64) {
	for _, e := range entriesOf(list) {
		held = append(held, [2]uint64{e.id, uint64(e.at)})
	}
	return held
}

// PartOf is the body of a snapshot of a small window.
func PartOf(w *Window, epoch uint64) []byte {
	var all []entry
	for e := range w.all().entries(0) {
		all = append(all, e)
	}
	return snapshot(head{epoch, 0, time.Now().UnixMilli()}, all)[0].body()
}
