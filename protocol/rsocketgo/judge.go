package rsocketgo

import (
	"encoding/binary"
	"errors"
	"fmt"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// judge decides about one valid frame that has arrived: whether the library sees
// it, or this side acts on it, or nobody does. b is the frame's bytes. The error
// it returns ends the connection.
//
// The library gets requests, items and ends of streams that it knows of, and
// KEEPALIVE. It does not survive CANCEL on a stream that it opened, or ERROR on
// one that it did not; it mixes streams up on an id that is in use, or on a
// second answer; it stops counting credit when one half of a channel has ended.
func (c *Conn) judge(f *frame.Frame, b []byte) error {
	if f.StreamID == 0 {
		return c.judgeConn(f, b)
	}
	switch f.Type {
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel:
		return c.judgeRequest(f, b)
	case frame.TypePayload:
		c.judgePayload(f, b)
	case frame.TypeCancel:
		c.parts.cancel(c, f.StreamID)
		if s := c.streams.find(f.StreamID); s != nil {
			s.canceled()
		}
	case frame.TypeRequestN:
		c.parts.granted(f.StreamID, f.N)
		if s := c.streams.find(f.StreamID); s != nil {
			s.granted(f.N)
		}
	case frame.TypeError:
		c.parts.cancel(c, f.StreamID)
		s := c.streams.find(f.StreamID)
		if s != nil && f.Code.ForStream() && s.failed(&rsocket.Error{Code: f.Code, Message: string(f.Data), Remote: true}) {
			c.wire.pass(b)
		}
	case frame.TypeSetup, frame.TypeLease, frame.TypeKeepAlive, frame.TypeResume, frame.TypeResumeOK:
		return fmt.Errorf("%s on stream %d, expected stream 0", f.Type, f.StreamID)
	case frame.TypeMetadataPush:
		// With another stream id it is to be ignored.
	default:
		return unknownType(f)
	}
	return nil
}

func unknownType(f *frame.Frame) error {
	if f.Has(frame.FlagIgnore) {
		return nil
	}
	return fmt.Errorf("%s is not known and may not be ignored", f.Type)
}

// judgeConn decides about a frame of stream 0.
func (c *Conn) judgeConn(f *frame.Frame, b []byte) error {
	switch f.Type {
	case frame.TypeKeepAlive:
		c.wire.pass(b)
	case frame.TypeError:
		switch {
		case f.Code == frame.CodeConnectionClose: // the library would end the connection at once
			if c.draining.CompareAndSwap(false, true) && c.handler.Closing != nil {
				c.handler.Closing()
			}
			c.endIfDrained()
		case !f.Code.ForStream():
			c.end(&rsocket.Error{Code: f.Code, Message: string(f.Data), Remote: true, Conn: true})
		}
	case frame.TypeMetadataPush: // the library would lose the order
		if c.handler.MetadataPush != nil {
			c.handler.MetadataPush(append([]byte{}, f.Metadata...))
		}
	case frame.TypeResume:
		return errors.New("RESUME after SETUP")
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel:
		return fmt.Errorf("%s on stream 0", f.Type)
	case frame.TypeSetup, frame.TypeResumeOK, frame.TypeLease, frame.TypeCancel, frame.TypePayload, frame.TypeRequestN:
		// A later SETUP, answers to nothing, an unknown id: ignore.
	default:
		return unknownType(f)
	}
	return nil
}

// judgeRequest begins what the peer asks for, or refuses it.
func (c *Conn) judgeRequest(f *frame.Frame, b []byte) error {
	if isClients(f.StreamID) == c.client {
		return fmt.Errorf("%s on stream %d: that half of the ids is this side's", f.Type, f.StreamID)
	}
	if c.streams.find(f.StreamID) != nil || c.parts.has(f.StreamID) {
		return nil // in use: ignore
	}
	var refused *rsocket.Error
	if n := len(f.Metadata) + len(f.Data); n > c.cfg.MaxPayload {
		refused = payloadTooLarge(c.cfg.MaxPayload)
	} else if why := c.admit(f.Type); why != "" {
		refused = &rsocket.Error{Code: frame.CodeRejected, Message: why}
	}
	// Only a channel's request has a Complete flag; there it outdoes Follows.
	complete := f.Type == frame.TypeRequestChannel && f.Has(frame.FlagComplete)
	switch {
	case refused != nil && f.Type != frame.TypeRequestFNF:
		c.sendError(f.StreamID, refused)
	case refused != nil:
	case f.Has(frame.FlagFollows) && !complete:
		if e := c.parts.add(c, f); e != nil {
			c.parts.fail(c, f.StreamID, nil, e)
		}
	default:
		clearFollows(b)
		c.begin(f, b, complete)
	}
	return nil
}

// begin lets the library have a request that has arrived whole, for which there
// is a place.
func (c *Conn) begin(f *frame.Frame, b []byte, complete bool) {
	if !c.hold(len(f.Metadata) + len(f.Data)) {
		c.refuse(f.StreamID, f.Type, &rsocket.Error{Code: frame.CodeRejected, Message: fmt.Sprintf("the requests and items of this connection that wait exceed %d bytes", c.cfg.MaxUnread)})
		return
	}
	var s stream
	switch f.Type {
	case frame.TypeRequestFNF:
		c.wire.pass(b)
		return
	case frame.TypeRequestResponse:
		s = newAnswer(c, f.StreamID)
	case frame.TypeRequestStream, frame.TypeRequestChannel:
		s = newServed(c, f, complete)
	}
	if !c.streams.put(f.StreamID, s, false) {
		s.closed(rsocket.ErrClosed) // the connection has ended, and nothing is passed on
		return
	}
	c.streams.arrive(s)
	c.wire.pass(b)
	if complete {
		c.wire.conclude(f.StreamID) // the library does not look at the flag
	}
}

// judgePayload decides about an item, an end, or a fragment of either.
func (c *Conn) judgePayload(f *frame.Frame, b []byte) {
	s := c.streams.find(f.StreamID)
	if s == nil && !c.parts.has(f.StreamID) {
		return // a stream that has just ended: ignore
	}
	more := f.Has(frame.FlagFollows) && !f.Has(frame.FlagComplete)
	if more || c.parts.has(f.StreamID) {
		if e := c.parts.add(c, f); e != nil {
			c.parts.fail(c, f.StreamID, s, e)
			return
		}
		if more {
			return
		}
		var request bool
		if *f, b, request = c.parts.take(f); request {
			c.begin(f, b, f.Has(frame.FlagComplete))
			return
		}
	} else if len(f.Metadata)+len(f.Data) > c.cfg.MaxPayload {
		c.parts.fail(c, f.StreamID, s, payloadTooLarge(c.cfg.MaxPayload))
		return
	}
	if s != nil && s.payload(f) {
		clearFollows(b)
		c.wire.pass(b)
	}
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

// admit takes a place among the inbound requests, or says why there is none.
func (c *Conn) admit(t frame.Type) (why string) {
	if !c.serves(t) {
		return t.String() + " is not served here"
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

// left is called when the last frame of an inbound request is on its way.
func (c *Conn) left() {
	c.inbound.Add(-1)
	c.endIfDrained()
}

// refuse ends an inbound request that had taken its place.
func (c *Conn) refuse(id uint32, t frame.Type, e *rsocket.Error) {
	if t != frame.TypeRequestFNF {
		c.sendError(id, e)
	}
	c.leave()
	c.left()
}

func (c *Conn) sendError(id uint32, e *rsocket.Error) {
	c.wire.say(frame.AppendError(nil, id, e.Code, c.cut(e.Message)))
}

// clearFollows makes the library take a payload as whole, which it is by now.
func clearFollows(b []byte) {
	head := binary.BigEndian.Uint16(b[4:])
	binary.BigEndian.PutUint16(b[4:], head&^uint16(frame.FlagFollows))
}

func payloadTooLarge(most int) *rsocket.Error {
	return &rsocket.Error{Code: frame.CodeInvalid, Message: fmt.Sprintf("a payload of more than %d bytes", most)}
}
