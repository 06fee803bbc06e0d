package rsocketgo

import (
	"fmt"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// parts are the payloads of a connection that have begun to arrive in
// fragments. The library gets them whole: what it puts together itself has no
// bound, and loses the end that the last fragment says. Owned by the read loop.
type parts struct {
	of    map[uint32]*part
	bytes int
}

// part is one of them. Its frame begins a stream or goes on with one; metadata
// and data have come so far.
type part struct{ frame.Frame }

func (p *part) bytes() int { return len(p.Metadata) + len(p.Data) }

func (p *part) request() bool { return p.Type != frame.TypePayload }

func (p *parts) has(id uint32) bool { return p.of[id] != nil }

// add appends a fragment. The error is for the peer; the part is still there then.
func (p *parts) add(c *Conn, f *frame.Frame) *rsocket.Error {
	t := p.of[f.StreamID]
	if t == nil {
		if p.of == nil {
			p.of = map[uint32]*part{}
		}
		t = &part{frame.Frame{StreamID: f.StreamID, Type: f.Type, N: f.N}}
		p.of[f.StreamID] = t
	}
	n := len(f.Metadata) + len(f.Data)
	if t.bytes()+n > c.cfg.MaxPayload {
		return payloadTooLarge(c.cfg.MaxPayload)
	}
	if p.bytes+n > c.cfg.MaxReassembly {
		p.sweep(c)
		if p.bytes+n > c.cfg.MaxReassembly {
			return &rsocket.Error{Code: frame.CodeRejected, Message: fmt.Sprintf("the unfinished payloads of this connection exceed %d bytes", c.cfg.MaxReassembly)}
		}
	}
	p.bytes += n
	if f.Metadata != nil {
		if t.Metadata = append(t.Metadata, f.Metadata...); t.Metadata == nil {
			t.Metadata = []byte{}
		}
	}
	t.Data = append(t.Data, f.Data...)
	t.Flags |= f.Flags & (frame.FlagNext | frame.FlagComplete)
	return nil
}

// sweep drops what belongs to streams that have ended meanwhile.
func (p *parts) sweep(c *Conn) {
	for id, t := range p.of {
		if !t.request() && c.streams.find(id) == nil {
			p.remove(id)
		}
	}
}

func (p *parts) remove(id uint32) *part {
	t := p.of[id]
	if t != nil {
		p.bytes -= t.bytes()
		delete(p.of, id)
	}
	return t
}

// take returns the whole that f completes, as one frame, and whether it is a request.
func (p *parts) take(f *frame.Frame) (whole frame.Frame, b []byte, request bool) {
	t := p.remove(f.StreamID)
	whole = t.Frame
	switch whole.Type {
	case frame.TypePayload:
		b = frame.AppendPayload(nil, whole.StreamID, whole.Flags, whole.Metadata, whole.Data)
	case frame.TypeRequestResponse, frame.TypeRequestFNF:
		whole.Flags = 0
		b = frame.AppendRequest(nil, whole.StreamID, whole.Type, 0, whole.Metadata, whole.Data)
	case frame.TypeRequestStream, frame.TypeRequestChannel:
		whole.Flags &= frame.FlagComplete
		b = frame.AppendRequestMany(nil, whole.StreamID, whole.Type, whole.Flags, whole.N, whole.Metadata, whole.Data)
	}
	return whole, b, t.request()
}

// fail ends a stream, or a request that has not arrived whole, for what is wrong
// with its payload.
func (p *parts) fail(c *Conn, id uint32, s stream, e *rsocket.Error) {
	if t := p.remove(id); t != nil && t.request() {
		c.refuse(id, t.Type, e)
	} else if s != nil {
		s.broken(e)
	}
}

// cancel drops what has arrived of a request, or of an item.
func (p *parts) cancel(c *Conn, id uint32) {
	if t := p.remove(id); t != nil && t.request() {
		c.leave()
		c.left()
	}
}

// granted adds credit that came before the request had arrived whole.
func (p *parts) granted(id, n uint32) {
	if t := p.of[id]; t != nil && t.request() {
		t.N = uint32(min(uint64(t.N)+uint64(n), frame.MaxCredit))
	}
}
