package rsocket

import (
	"context"
	"fmt"

	"warmline.dev/protocol/rsocket/frame"
)

// start opens an own stream: it waits for room, takes an id, registers s under
// it and appends the request that write makes, all in one step, so that requests
// leave in the order of their ids.
func (c *Conn) start(ctx context.Context, s stream, size int, write func(dst []byte, id uint32) []byte) (uint32, error) {
	if size > c.cfg.MaxFrame {
		return 0, ErrTooLarge
	}
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		c.mu.Lock()
		if err := c.refusal(); err != nil {
			c.mu.Unlock()
			return 0, err
		}
		b, wait := c.w.try(size)
		if b != nil {
			id := c.takeID()
			c.streams[id] = s
			c.outbound++
			c.w.end(write(b, id))
			c.mu.Unlock()
			return id, nil
		}
		c.mu.Unlock()
		if wait == nil { // the writer has stopped: the connection is ending
			<-c.ctx.Done()
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
}

// refusal says why no request can be made. The caller holds mu.
func (c *Conn) refusal() error {
	switch {
	case c.err != nil:
		return fmt.Errorf("%w: %w", ErrDraining, c.err)
	case c.draining:
		return ErrDraining
	}
	return nil
}

// takeID returns the next free id of this side. They are reused, oldest first,
// when all two thousand million have been used. The caller holds mu.
func (c *Conn) takeID() uint32 {
	for {
		id := c.nextID
		if c.nextID += 2; c.nextID > frame.MaxCredit {
			c.nextID = 2 - id%2
		}
		if _, used := c.streams[id]; !used {
			return id
		}
	}
}

// finish gives back the place of an own request that has ended.
func (c *Conn) finish() {
	c.mu.Lock()
	c.outbound--
	c.mu.Unlock()
	c.endIfDrained()
}

// PushMetadata sends metadata for the whole connection (METADATA_PUSH). Nothing
// answers it.
func (c *Conn) PushMetadata(ctx context.Context, metadata []byte) error {
	size := frame.HeaderSize + len(metadata)
	if size > c.cfg.MaxFrame {
		return ErrTooLarge
	}
	for {
		b, wait := c.w.try(size)
		if b != nil {
			c.w.end(frame.AppendMetadataPush(b, metadata))
			return nil
		}
		if wait == nil {
			<-c.ctx.Done()
			return c.Err()
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
