package handover

import (
	"context"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// Origin is that of the passports with which edges ask one another.
const Origin = "edge-handover"

// hottestArgs are the arguments of edge.hottest.
type hottestArgs struct {
	Bytes int64 `json:"bytes"` // of each cache, at most
}

type taken struct {
	Taken int `json:"taken"`
	// Moment stands for when this was answered, to who answered it.
	Moment string `json:"moment,omitempty"`
}

// Methods are those that edges ask one another. Memories are those that there are
// when they are asked. Vouch returns when the edge has heard of everything that
// had changed when it was called; what it holds is not handed over if it fails.
func Methods(memories func() []Memory, vouch func(ctx context.Context) error) []edgelayer.Method {
	clock := newClock()
	return []edgelayer.Method{
		edgelayer.NewStream("hottest", func(ctx context.Context, in hottestArgs, yield func(Part) error) error {
			if err := fromEdge(ctx); err != nil {
				return err
			}
			if err := vouch(ctx); err != nil {
				return protocol.Errorf(protocol.Unavailable, "this edge can't vouch for what it holds: %w", err)
			}
			return parts(memories(), in.Bytes, yield)
		}, edgelayer.NeedsPassport(passport.Anonymous)),
		edgelayer.NewMethod("take", func(ctx context.Context, in Part) (taken, error) {
			if err := fromEdge(ctx); err != nil {
				return taken{}, err
			}
			moment := clock.moment()
			asked, ok := clock.time(in.Since)
			if !ok {
				return taken{Moment: moment}, nil
			}
			return taken{take(memories(), in, asked), moment}, nil
		}, edgelayer.NeedsPassport(passport.Anonymous), edgelayer.Idempotent()),
	}
}

// partTime is how long the handing over of one part may take.
const partTime = 2 * time.Second

func fromEdge(ctx context.Context) error {
	p, err := edgelayer.Passport(ctx)
	if err == nil && p.Origin != Origin {
		err = protocol.Errorf(protocol.Forbidden, "only edges ask one another for what they hold: the passport is of %q", p.Origin)
	}
	return err
}

// seal makes the passport of an edge.
func seal(keys *passport.Keyring, lasts time.Duration) ([]byte, error) {
	now := time.Now()
	return keys.Seal(passport.Passport{Origin: Origin, Issued: now, Expires: now.Add(lasts)})
}
