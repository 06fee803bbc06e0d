package rsocket

import (
	"errors"
	"fmt"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// readLoop reads, with the turn, until the connection ends, also over several
// carriers if it can be resumed; or until others read for themselves.
func (c *Conn) readLoop() {
	defer c.wg.Done()
	for {
		woken := c.turn.woken.Load()
		err := c.readBatch()
		switch {
		case c.over.Load():
			c.handOver()
			c.takeDown()
			return
		case err != nil:
			c.handOver()
			if err = c.lost(err); err != nil {
				c.end(err)
				c.takeDown()
				return
			}
		case c.lone != nil && c.inbound.Load() == 1 && c.mayLeave():
			if !c.runLone() {
				return
			}
		case c.lone != nil:
			c.handOver()
		case c.turn.woken.Load() != woken && c.turn.waiting.Load() == 0 && c.mayLeave():
			c.freeTurn()
			return
		}
	}
}

// lost looks for another carrier, if the connection can be resumed, and returns
// why there is none.
func (c *Conn) lost(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		c.endWith(e)
		return e
	}
	if c.session == nil || c.Draining() {
		return err
	}
	return c.rejoin(err)
}

// readBatch reads once, if no whole frame is there, and takes all frames that
// are. It validates before it dispatches and never waits for the application. An
// [*Error] is for the peer.
func (c *Conn) readBatch() error {
	if err := c.failure; err != nil {
		c.failure = nil
		return err
	}
	reads := c.r.reads
	for {
		b, err := c.r.next()
		if c.turn.led.Load() {
			c.turn.led.Store(false) // what follows does not wait
		}
		if err != nil {
			return c.readFailed(err)
		}
		f, err := frame.Parse(b)
		if err == nil {
			err = c.dispatch(&f)
		} else if f.Has(frame.FlagIgnore) {
			err = nil
		}
		if err != nil {
			return &Error{Code: frame.CodeConnectionError, Message: err.Error(), Conn: true}
		}
		if c.session != nil {
			c.countReceived(&f, len(b))
		}
		if c.over.Load() || !c.r.whole() {
			break
		}
	}
	if c.r.reads != reads { // once per read, not once per frame
		c.lastRead.Store(time.Now().UnixNano())
		if c.w.debt() > 2*c.cfg.MaxUnwritten {
			return &Error{Code: frame.CodeConnectionError, Message: "the peer does not read what it asks for", Conn: true}
		}
	}
	return nil
}

// dispatch acts on one valid frame. The error it returns ends the connection.
func (c *Conn) dispatch(f *frame.Frame) error {
	if f.StreamID == 0 {
		return c.dispatchConn(f)
	}
	switch f.Type {
	case frame.TypePayload, frame.TypeCancel, frame.TypeRequestN, frame.TypeError:
		if s := c.streams.find(f.StreamID); s != nil {
			c.tell(s, f)
		} // an unknown id is a stream that has just ended: ignore
	case frame.TypeRequestResponse, frame.TypeRequestFNF, frame.TypeRequestStream, frame.TypeRequestChannel:
		return c.request(f)
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

func (c *Conn) tell(s stream, f *frame.Frame) {
	switch f.Type {
	case frame.TypePayload:
		switch more := f.Has(frame.FlagFollows) && !f.Has(frame.FlagComplete); {
		case more || c.parts.has(f.StreamID):
			c.assemble(s, f, more)
		case len(f.Metadata)+len(f.Data) > c.cfg.MaxPayload:
			s.broken(payloadTooLarge(c.cfg.MaxPayload))
		default:
			s.payload(Payload{f.Metadata, f.Data}.Clone(), f.Has(frame.FlagNext), f.Has(frame.FlagComplete))
		}
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
			c.sendKeepAlive(false, f.Data)
		}
		return c.peerReceived(f.Position)
	case frame.TypeError:
		e := &Error{Code: f.Code, Message: string(f.Data), Remote: true, Conn: true}
		if f.Code == frame.CodeConnectionClose {
			if c.draining.CompareAndSwap(false, true) && c.handler.Closing != nil {
				c.handler.Closing()
			}
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
	case frame.TypeLease:
		c.leased.renew(int64(f.N), time.Duration(f.TTL)*time.Millisecond) // without effect if none was asked for
	case frame.TypeSetup, frame.TypeResumeOK:
		// A later SETUP, an answer to nothing: ignore.
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

func (c *Conn) sendError(id uint32, e *Error) {
	message := e.Message
	if most := c.cfg.MaxFrame - frame.HeaderSize - 4; len(message) > most {
		message = message[:most]
	}
	if b := c.w.force(frame.HeaderSize + 4 + len(message)); b != nil {
		c.w.end(frame.AppendError(b, id, e.Code, message))
	}
}

func (c *Conn) sendRequestN(id uint32, n int) {
	if b := c.w.force(frame.HeaderSize + 4); b != nil {
		c.w.end(frame.AppendRequestN(b, id, uint32(n)))
	}
}

func (c *Conn) sendCancel(id uint32) {
	if b := c.w.force(frame.HeaderSize); b != nil {
		c.w.end(frame.AppendCancel(b, id))
	}
}

func (c *Conn) sendComplete(id uint32) {
	if b := c.w.force(frame.HeaderSize); b != nil {
		c.w.end(frame.AppendPayload(b, id, frame.FlagComplete, nil, nil))
	}
}
