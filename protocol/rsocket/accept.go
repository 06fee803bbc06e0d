package rsocket

import (
	"fmt"

	"warmline.dev/protocol/rsocket/frame"
)

// request begins what the peer asks for, or refuses it.
func (c *Conn) request(f *frame.Frame) error {
	if peersOwn := f.StreamID%2 == 1; peersOwn == c.client {
		return fmt.Errorf("%s on stream %d: that half of the ids is this side's", f.Type, f.StreamID)
	}
	if c.streams.find(f.StreamID) != nil {
		return nil // in use: ignore
	}
	var refused *Error
	if len(f.Metadata)+len(f.Data) > c.cfg.MaxPayload {
		refused = payloadTooLarge(c.cfg.MaxPayload)
	} else if why := c.admit(f.Type); why != "" {
		refused = &Error{Code: frame.CodeRejected, Message: why}
	}
	// Only a channel's request has a Complete flag; there it outdoes Follows.
	complete := f.Type == frame.TypeRequestChannel && f.Has(frame.FlagComplete)
	switch {
	case refused != nil && f.Type != frame.TypeRequestFNF:
		c.sendError(f.StreamID, refused)
	case refused != nil:
	case f.Has(frame.FlagFollows) && !complete:
		c.acceptFragmented(f)
	default:
		if p := (Payload{f.Metadata, f.Data}); c.hold(p.size()) {
			c.accept(f, p.Clone(), complete)
		} else {
			c.turnAway(f)
		}
	}
	return nil
}

// hold counts bytes that arrived until they are done with, or reports that there
// are too many. Only the read loop calls it.
func (c *Conn) hold(n int) bool {
	if c.unread.Load()+int64(n) > int64(c.cfg.MaxUnread) {
		return false
	}
	c.unread.Add(int64(n))
	return true
}

func (c *Conn) unhold(n int) { c.unread.Add(-int64(n)) }

// turnAway refuses a request that there is no room for, and that had its place.
func (c *Conn) turnAway(f *frame.Frame) {
	if f.Type != frame.TypeRequestFNF {
		c.sendError(f.StreamID, &Error{Code: frame.CodeRejected, Message: fmt.Sprintf("the requests and items of this connection that wait exceed %d bytes", c.cfg.MaxUnread)})
	}
	c.leave()
	c.left()
}

// accept hands a request that has arrived whole to its handler. Its place was
// taken by admit, its bytes by hold.
func (c *Conn) accept(f *frame.Frame, p Payload, complete bool) {
	switch f.Type {
	case frame.TypeRequestResponse, frame.TypeRequestFNF:
		c.acceptSingle(f.StreamID, f.Type, p)
	case frame.TypeRequestStream:
		c.acceptStream(f.StreamID, f.N, p)
	case frame.TypeRequestChannel:
		c.acceptChannel(f.StreamID, f.N, p, complete)
	}
}

// admit takes a place among the inbound requests, or says why there is none.
func (c *Conn) admit(t frame.Type) (why string) {
	if !c.serves(t) {
		return t.String() + " is not served here"
	}
	if !c.granted.allow() {
		return "no lease for it: none was granted, or it is used up or has expired"
	}
	c.inbound.Add(1)
	if c.Draining() {
		why = "the connection is closing"
	} else if n := c.places.Add(1); n > int64(c.cfg.MaxStreams) {
		c.places.Add(-1)
		why = fmt.Sprintf("%d requests are being answered, at most %d are taken", n-1, max(c.cfg.MaxStreams, 0))
	}
	if why != "" {
		c.left()
	}
	return why
}

func (c *Conn) serves(t frame.Type) bool {
	switch t {
	case frame.TypeRequestResponse:
		return c.handler.Response != nil
	case frame.TypeRequestFNF:
		return c.handler.FireAndForget != nil
	case frame.TypeRequestStream:
		return c.handler.Stream != nil
	case frame.TypeRequestChannel:
		return c.handler.Channel != nil
	}
	return false
}

// leave gives the place of an inbound request back. It is called before the last
// frame of the stream goes out: a peer that has it may ask again at once.
func (c *Conn) leave() { c.places.Add(-1) }

// left is called when the last frame of an inbound request has gone out.
func (c *Conn) left() {
	c.inbound.Add(-1)
	c.endIfDrained()
}
