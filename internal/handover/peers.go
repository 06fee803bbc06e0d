package handover

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/nodelayer"
	"warmline.dev/passport"
)

// Peers are the other edges.
type Peers struct {
	// Addresses, as nodelayer.Config.Edges has them. None: there are no others.
	Addresses []string
	// Version is that of this edge.
	Version string
	// Keys are those that all edges have.
	Keys *passport.Keyring
	// Credentials are how this edge proves who it is.
	Credentials nodelayer.Credentials
	// MaxBytes bounds what is handed over of each cache. Default 64 MiB.
	MaxBytes int64
	Log      zerolog.Logger
}

// findTime is how long it may take to find one of the others that runs: where all are
// stopped at once, or none has been started yet, nobody is to wait for long.
const findTime = time.Second

const defaultMaxBytes = 64 << 20

// Fetch takes the hottest entries from one of the others that runs, until ctx ends
// or it has no more. It returns how many were taken, also with an error: what has
// come has come.
func (p Peers) Fetch(ctx context.Context, memories []Memory, progress func(taken int)) (fetched int, err error) {
	err = p.converse(ctx, func(ctx context.Context, conv *nodelayer.Conversation) error {
		began := time.Now() // whatever comes is as old as it says, from then on
		most := p.MaxBytes
		if most == 0 {
			most = defaultMaxBytes
		}
		for part, err := range nodelayer.Stream[Part](ctx, conv, "edge.hottest", hottestArgs{most}) {
			if err != nil {
				return err
			}
			fetched += take(memories, part, began)
			progress(fetched)
		}
		return nil
	})
	return fetched, err
}

// HandOver gives the hottest entries to one of the others, until ctx ends. It
// returns how many that one took.
func (p Peers) HandOver(ctx context.Context, memories []Memory) (given int, err error) {
	err = p.converse(ctx, func(ctx context.Context, conv *nodelayer.Conversation) error {
		most := p.MaxBytes
		if most == 0 {
			most = defaultMaxBytes
		}
		call := func(part Part) (taken, error) {
			ctx, cancel := context.WithTimeout(ctx, partTime)
			defer cancel()
			return nodelayer.Call[taken](ctx, conv, "edge.take", part)
		}
		t, err := call(Part{}) // what time it is there, before anything is looked at
		if err != nil {
			return err
		}
		since := t.Moment
		return parts(memories, most, func(part Part) error {
			part.Since = since
			t, err := call(part)
			given += t.Taken
			return err
		})
	})
	return given, err
}

// converse holds a conversation with one of the others.
func (p Peers) converse(ctx context.Context, f func(ctx context.Context, conv *nodelayer.Conversation) error) error {
	if len(p.Addresses) == 0 {
		return errors.New("there are no other edges")
	}
	finding, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	edge, err := nodelayer.Dial(finding, nodelayer.Config{
		Edges: p.Addresses, Name: "edge", Version: p.Version, Wants: map[string]string{"edge": "^1"}, Credentials: p.Credentials, Log: p.Log,
	})
	if err != nil {
		return err
	}
	defer edge.Close()
	sealed, err := seal(p.Keys, time.Minute)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(passport.NewContext(ctx, passport.NewCarrier(sealed)))
	defer end()
	conv := edge.Converse(ctx)
	defer conv.Close()
	return f(ctx, conv)
}
