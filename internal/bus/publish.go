package bus

import (
	"bytes"
	"context"
	"fmt"
)

// MaxMessage is the most bytes that a message may have.
const MaxMessage = 64 << 10

// publication is a message on its way.
type publication struct {
	ctx     context.Context
	subject string
	data    []byte
	done    chan error // takes one
}

// Publish sends a message to all subscribers of a subject, this bus's own among
// them, and returns when the server has it. The error is about the subject or the
// size, [ErrNotConnected] at once while there is no connection, [ErrClosed], what
// the server refuses, or why the connection or ctx ended meanwhile. In the last
// two cases the message may have gone out all the same; nothing is kept to be sent
// later. The data is the caller's again when Publish returns.
func (b *Bus) Publish(ctx context.Context, subject string, data []byte) error {
	if err := checkSubject(subject, false); err != nil {
		return err
	}
	if len(data) > MaxMessage {
		return fmt.Errorf("bus: publish %s: %d bytes, expected at most %d", subject, len(data), MaxMessage)
	}
	c, err := b.current()
	if err != nil {
		return fmt.Errorf("bus: publish %s: %w", subject, err)
	}
	// A copy: who gives up leaves it behind.
	p := publication{ctx: ctx, subject: subject, data: bytes.Clone(data), done: make(chan error, 1)}
	select {
	case c.publications <- p:
	case <-c.ended:
		err = ErrNotConnected
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		select {
		case err = <-p.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("bus: publish %s: %w", subject, err)
	}
	return nil
}
