package rsocket

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"warmline.dev/protocol/rsocket/frame"
)

// pieces cuts a payload into what a frame holds each: first the metadata, then
// the data (specification, "Fragmentation And Reassembly").
type pieces struct {
	left Payload
	max  int // bytes of a frame
}

// next returns the next piece and whether more follow; extra is what the frame
// carries besides header and payload.
func (p *pieces) next(extra int) (piece Payload, more bool) {
	const metadataLength = 3
	room := p.max - frame.HeaderSize - extra
	if p.left.Metadata != nil {
		room -= metadataLength
	}
	if p.left.size() <= room {
		piece, p.left = p.left, Payload{}
		return piece, false
	}
	if p.left.Metadata != nil {
		n := min(room, len(p.left.Metadata))
		piece.Metadata = p.left.Metadata[:n:n]
		room -= n
		if p.left.Metadata = p.left.Metadata[n:]; len(p.left.Metadata) == 0 {
			p.left.Metadata = nil
		}
	}
	if p.left.Metadata == nil {
		n := min(room, len(p.left.Data))
		piece.Data, p.left.Data = p.left.Data[:n:n], p.left.Data[n:]
	}
	return piece, true
}

// tooLarge is [ErrTooLarge] in figures.
func (c *Conn) tooLarge(p Payload) error {
	return fmt.Errorf("%w: %d bytes, at most %d are sent (Config.MaxPayload)", ErrTooLarge, p.size(), c.cfg.MaxPayload)
}

// sendRest sends the fragments that follow a request's first frame. It stops
// when the stream is no longer there.
func (c *Conn) sendRest(ctx context.Context, id uint32, s stream, rest *pieces) error {
	for {
		p, more := rest.next(0)
		b, err := c.room(ctx, p)
		if err != nil {
			return err
		}
		if c.streams.find(id) != s {
			c.w.giveUp()
			return nil // answered, refused or closed: its owner has been told
		}
		flags := frame.FlagNext
		if more {
			flags |= frame.FlagFollows
		}
		c.w.endWith(frame.AppendPayload(b, id, flags, p.Metadata, nil), p.Data, others).wait(ctx)
		if !more {
			return nil
		}
	}
}

// room waits until a frame for p can be appended. The writer is locked then.
func (c *Conn) room(ctx context.Context, p Payload) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, wait := c.w.try(p)
		if b != nil {
			return b, nil
		}
		if wait == nil {
			<-c.ctx.Done()
			return nil, c.Err()
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
}

// parts are the payloads of a connection that have begun to arrive in fragments.
// A stream's part is dropped with the stream.
type parts struct {
	count atomic.Int32

	// guarded by mu
	mu    sync.Mutex
	of    map[uint32]*part
	bytes int
}

type part struct {
	payload Payload
	next    bool
}

// any reports whether there may be one; only the read loop adds any.
func (p *parts) any() bool { return p.count.Load() > 0 }

func (p *parts) has(id uint32) bool {
	if !p.any() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[id] != nil
}

// drop forgets the part of a stream that has ended.
func (p *parts) drop(id uint32) {
	if p.any() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.remove(id)
	}
}

func (p *parts) remove(id uint32) {
	if t := p.of[id]; t != nil {
		p.bytes -= t.payload.size()
		delete(p.of, id)
		p.count.Add(-1)
	}
}

// clear forgets all, when no more can come.
func (p *parts) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of, p.bytes = nil, 0
	p.count.Store(0)
}

// add appends a fragment to the stream's part. The error is for the peer.
func (p *parts) add(f *frame.Frame, maxPayload, maxBytes int) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.of[f.StreamID]
	if t == nil {
		t = &part{}
		if p.of == nil {
			p.of = map[uint32]*part{}
		}
		p.of[f.StreamID] = t
		p.count.Add(1)
	}
	n := len(f.Metadata) + len(f.Data)
	switch {
	case t.payload.size()+n > maxPayload:
		p.remove(f.StreamID)
		return payloadTooLarge(maxPayload)
	case p.bytes+n > maxBytes:
		p.remove(f.StreamID)
		return &Error{Code: frame.CodeRejected, Message: fmt.Sprintf("the unfinished payloads of this connection exceed %d bytes", maxBytes)}
	}
	p.bytes += n
	if f.Metadata != nil {
		t.payload.Metadata = append(t.payload.Metadata, f.Metadata...)
		if t.payload.Metadata == nil {
			t.payload.Metadata = []byte{}
		}
	}
	t.payload.Data = append(t.payload.Data, f.Data...)
	t.next = t.next || f.Has(frame.FlagNext)
	return nil
}

func payloadTooLarge(most int) *Error {
	return &Error{Code: frame.CodeInvalid, Message: fmt.Sprintf("a payload of more than %d bytes", most)}
}

// take returns the whole payload of a stream.
func (p *parts) take(id uint32) (whole Payload, next bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.of[id]; t != nil {
		whole, next = t.payload, t.next
		p.remove(id)
	}
	if whole.Data == nil {
		whole.Data = []byte{}
	}
	return whole, next
}

// assemble takes a PAYLOAD that is a fragment, and tells the stream when the
// payload is whole. More says that fragments follow.
func (c *Conn) assemble(s stream, f *frame.Frame, more bool) {
	if e := c.parts.add(f, c.cfg.MaxPayload, c.cfg.MaxReassembly); e != nil {
		s.broken(e)
		return
	}
	if more {
		if c.streams.find(f.StreamID) != s {
			c.parts.drop(f.StreamID) // it ended meanwhile
		}
		return
	}
	p, next := c.parts.take(f.StreamID)
	s.payload(p, next, f.Has(frame.FlagComplete))
}

// unfinished is an inbound request of which the first fragment has arrived.
type unfinished struct {
	c *Conn
	f frame.Frame // the request without its payload
}

func (c *Conn) acceptFragmented(f *frame.Frame) {
	s := &unfinished{c: c, f: frame.Frame{StreamID: f.StreamID, Type: f.Type, N: f.N}}
	if !c.streams.put(f.StreamID, s) {
		s.leave() // the connection has ended
		return
	}
	if e := c.parts.add(f, c.cfg.MaxPayload, c.cfg.MaxReassembly); e != nil {
		s.broken(e)
	}
}

func (s *unfinished) opened(uint32) {}

func (s *unfinished) payload(p Payload, _, complete bool) {
	switch {
	case !s.c.take(s.f.StreamID, s):
	case s.c.hold(p.size()):
		s.c.accept(&s.f, p, complete)
	default:
		s.c.turnAway(&s.f)
	}
}

func (s *unfinished) broken(e *Error) {
	if s.c.take(s.f.StreamID, s) {
		if s.f.Type != frame.TypeRequestFNF {
			s.c.sendError(s.f.StreamID, e)
		}
		s.leave()
	}
}

func (s *unfinished) leave() { s.c.leave(); s.c.left() }

func (s *unfinished) drop() {
	if s.c.take(s.f.StreamID, s) {
		s.leave()
	}
}

func (s *unfinished) failed(*Error) { s.drop() }
func (s *unfinished) canceled()     { s.drop() }
func (s *unfinished) closed(error)  { s.leave() }

// granted adds credit that was granted before the request had arrived whole.
func (s *unfinished) granted(n uint32) {
	s.f.N = uint32(min(uint64(s.f.N)+uint64(n), frame.MaxCredit))
}

// take removes a stream and what has arrived of its next payload.
func (c *Conn) take(id uint32, s stream) bool {
	if !c.streams.take(id, s) {
		return false
	}
	c.parts.drop(id)
	return true
}
