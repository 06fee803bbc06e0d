package rsocket

import (
	"context"
	"fmt"
	"sync/atomic"

	"warmline.dev/protocol/rsocket/frame"
)

// request is what an own stream begins with.
type request struct {
	kind    frame.Type
	credit  uint32 // REQUEST_STREAM and REQUEST_CHANNEL
	payload Payload
}

// append appends all but the data.
func (r *request) append(dst []byte, id uint32, metadata []byte, flags frame.Flags) []byte {
	switch r.kind {
	case frame.TypeRequestStream, frame.TypeRequestChannel:
		return frame.AppendRequestMany(dst, id, r.kind, flags, r.credit, metadata, nil)
	}
	return frame.AppendRequest(dst, id, r.kind, flags, metadata, nil)
}

// start opens an own stream: it waits for a lease and for room, takes an id,
// registers s under it and appends the request, all in one step, so that requests
// leave in the order of their ids. What a single frame does not hold is left in
// rest. A stream that was started has to be finished.
func (c *Conn) start(ctx context.Context, s stream, r *request) (id uint32, rest pieces, err error) {
	if r.payload.size() > c.cfg.MaxPayload {
		return 0, rest, c.tooLarge(r.payload)
	}
	if err := c.leased.wait(ctx); err != nil {
		return 0, rest, err
	}
	rest = pieces{left: r.payload, max: c.cfg.Fragment}
	first, more := rest.next(4)
	flags := frame.Flags(0)
	if more {
		flags = frame.FlagFollows
	}
	c.outbound.Add(1)
	for {
		if err = c.refusal(ctx); err != nil {
			break
		}
		b, wait := c.w.try(first)
		if b != nil {
			if id = c.register(s); id == 0 {
				c.w.giveUp()
				continue // the connection has ended
			}
			c.w.endWith(r.append(b, id, first.Metadata, flags), first.Data, companyOf(&c.outbound)).wait(ctx)
			return id, rest, nil
		}
		if wait == nil { // the writer has stopped: the connection is ending
			wait = c.ctx.Done()
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
	c.finish()
	return 0, rest, err
}

// companyOf is what a frame has to expect when so many requests are under way.
func companyOf(underWay *atomic.Int64) company {
	if underWay.Load() > 1 {
		return others
	}
	return nobody
}

// refusal says why no request can be made.
func (c *Conn) refusal(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.over.Load() {
		return fmt.Errorf("%w: %w", ErrDraining, c.Err())
	}
	if c.draining.Load() {
		return ErrDraining
	}
	return nil
}

// register puts s under the next free id of this side; 0 if the connection has
// ended. Ids are reused, oldest first, when all two thousand million have been
// used. The caller holds the writer's lock.
func (c *Conn) register(s stream) uint32 {
	for !c.over.Load() {
		id := c.nextID
		if c.nextID += 2; c.nextID > frame.MaxCredit {
			c.nextID = 2 - id%2
		}
		s.opened(id)
		if c.streams.put(id, s) {
			return id
		}
	}
	return 0
}

// finish gives back the place of an own request that has ended.
func (c *Conn) finish() {
	c.outbound.Add(-1)
	c.endIfDrained()
}
