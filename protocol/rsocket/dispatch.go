package rsocket

import (
	"errors"
	"fmt"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// readLoop owns the reading half until the connection ends. It validates before
// it dispatches and never waits for the application.
func (c *Conn) readLoop() {
	defer c.takeDown()
	seen := 0
	for {
		b, err := c.r.next()
		if err != nil {
			c.readFailed(err)
			return
		}
		if c.r.reads != seen { // once per read, not once per frame
			seen = c.r.reads
			c.lastRead.Store(time.Now().UnixNano())
			if c.w.queued() > 2*c.cfg.MaxUnwritten {
				c.endWith(&Error{Code: frame.CodeConnectionError, Message: "the peer does not read what it asks for", Conn: true})
			}
		}
		f, err := frame.Parse(b)
		if err == nil {
			err = c.dispatch(&f)
		} else if f.Has(frame.FlagIgnore) {
			err = nil
		}
		if err != nil {
			c.endWith(&Error{Code: frame.CodeConnectionError, Message: err.Error(), Conn: true})
		}
		if c.Err() != nil {
			return
		}
	}
}

// dispatch acts on one valid frame. The error it returns ends the connection.
func (c *Conn) dispatch(f *frame.Frame) error {
	if f.StreamID == 0 {
		return c.dispatchConn(f)
	}
	switch f.Type {
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel:
		return c.request(f)
	case frame.TypePayload, frame.TypeCancel, frame.TypeRequestN, frame.TypeError:
		if s := c.find(f.StreamID); s != nil {
			tell(s, f)
		} // an unknown id is a stream that has just ended: ignore
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

func tell(s stream, f *frame.Frame) {
	switch f.Type {
	case frame.TypePayload:
		s.payload(f)
	case frame.TypeCancel:
		s.canceled()
	case frame.TypeRequestN:
		s.granted(f.N)
	case frame.TypeError:
		if f.Code.ForStream() {
			s.failed(&Error{Code: f.Code, Message: string(f.Data), Remote: true})
		} // a code that belongs on stream 0 is to be ignored here
	}
}

// dispatchConn acts on a frame of stream 0.
func (c *Conn) dispatchConn(f *frame.Frame) error {
	switch f.Type {
	case frame.TypeKeepAlive:
		if f.Has(frame.FlagRespond) {
			if b := c.w.force(); b != nil {
				c.w.end(frame.AppendKeepAlive(b, false, 0, f.Data))
			}
		}
	case frame.TypeError:
		e := &Error{Code: f.Code, Message: string(f.Data), Remote: true, Conn: true}
		if f.Code == frame.CodeConnectionClose {
			c.mu.Lock()
			c.draining = true
			c.mu.Unlock()
			c.endIfDrained()
			return nil
		}
		if !f.Code.ForStream() {
			c.end(e)
		}
	case frame.TypeMetadataPush:
		if c.handler.MetadataPush != nil {
			c.handler.MetadataPush(append([]byte{}, f.Metadata...))
		}
	case frame.TypeSetup, frame.TypeLease, frame.TypeResumeOK:
		// A later SETUP, a lease that was not asked for: ignore.
	case frame.TypeResume:
		return errors.New("RESUME after SETUP")
	case frame.TypeCancel, frame.TypePayload, frame.TypeRequestN:
		// There is no stream 0 to cancel or to grant credit to: an unknown id, ignore.
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel:
		return fmt.Errorf("%s on stream 0", f.Type)
	default:
		return unknownType(f)
	}
	return nil
}

// request begins what the peer asks for, or refuses it.
func (c *Conn) request(f *frame.Frame) error {
	if peersOwn := f.StreamID%2 == 1; peersOwn == c.client {
		return fmt.Errorf("%s on stream %d: that half of the ids is this side's", f.Type, f.StreamID)
	}
	if c.find(f.StreamID) != nil {
		return nil // in use: ignore
	}
	var why string
	switch {
	case f.Has(frame.FlagFollows):
		why = "fragmented requests are not supported"
	case f.Type == frame.TypeRequestResponse && c.handler.Response != nil,
		f.Type == frame.TypeRequestChannel && c.handler.Channel != nil:
	default:
		why = f.Type.String() + " is not served here"
	}
	if why == "" {
		why = c.admit()
	}
	if why != "" {
		if f.Type != frame.TypeRequestFNF {
			c.sendError(f.StreamID, &Error{Code: frame.CodeRejected, Message: why})
		}
		return nil
	}
	if f.Type == frame.TypeRequestChannel {
		c.acceptChannel(f)
	} else {
		c.acceptResponse(f)
	}
	return nil
}

// admit takes a place among the inbound requests, or says why there is none.
func (c *Conn) admit() (why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil || c.draining:
		return "the connection is closing"
	case c.inbound >= c.cfg.MaxStreams:
		return fmt.Sprintf("%d requests are being answered, at most %d are taken", c.inbound, c.cfg.MaxStreams)
	}
	c.inbound++
	return ""
}

// leave gives the place back; the handler has returned.
func (c *Conn) leave() {
	c.mu.Lock()
	c.inbound--
	c.mu.Unlock()
	c.endIfDrained()
}

func (c *Conn) find(id uint32) stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

// put adds an inbound stream. The connection may have ended meanwhile: then the
// stream is told at once.
func (c *Conn) put(id uint32, s stream) {
	c.mu.Lock()
	err := c.err
	if err == nil {
		c.streams[id] = s
	}
	c.mu.Unlock()
	if err != nil {
		s.closed(err)
	}
}

// drop removes a stream if it is still s, and reports whether it was.
func (c *Conn) drop(id uint32, s stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[id] != s {
		return false
	}
	delete(c.streams, id)
	return true
}

func (c *Conn) sendError(id uint32, e *Error) {
	if b := c.w.force(); b != nil {
		c.w.end(frame.AppendError(b, id, e.Code, c.clip(e.Message)))
	}
}

// clip cuts the data of an ERROR frame to what a frame can hold.
func (c *Conn) clip(message string) string {
	return message[:min(len(message), c.cfg.MaxFrame-frame.HeaderSize-4)]
}
