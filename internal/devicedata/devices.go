package devicedata

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/passport/device"
)

// Where device data is published, and where somebody asks for it.
const (
	Subject    = "warmline.devices"
	AskSubject = "warmline.devices.ask"
)

const (
	defaultEvery = time.Minute
	askPause     = time.Second // between two questions of one process
	patience     = time.Second // for the bus to take a message
)

// Config says what a gateway holds, and whom it believes.
type Config struct {
	// Keyring opens what is published. Required.
	Keyring *device.Keyring
	// Version is the only one that is used, once it is here. Default 0: the newest.
	Version uint64
	// Every is how often a Version that is not here is asked for. Default a minute.
	Every time.Duration
	// Log is told which version is used, and what is refused. The zero value is silent.
	Log zerolog.Logger
}

// Devices is what a gateway holds, and hears. Make it with [Follow]; whoever does
// closes it, before the bus. All methods are safe for concurrent use.
type Devices struct {
	*device.Devices

	bus   *bus.Bus
	log   zerolog.Logger // of what happens as often as others like
	every time.Duration
	sub   *bus.Subscription
	asks  chan uint64 // holds the version to ask for
	end   context.CancelFunc
	ended chan struct{} // closed when nobody is asked any more
}

// Follow begins with the table that is built in, and takes what is published. It waits
// for nothing. The error is that there is no keyring, or that the bus is closed.
func Follow(b *bus.Bus, cfg Config) (*Devices, error) {
	if cfg.Keyring == nil {
		return nil, errors.New("device data: expected keys that open what is published")
	}
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	d := &Devices{
		bus: b, log: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}), every: cfg.Every,
		asks: make(chan uint64, 1), ended: make(chan struct{}),
	}
	var err error
	if d.Devices, err = device.New(device.Config{Keyring: cfg.Keyring, Pin: cfg.Version, Ask: d.want}); err != nil {
		return nil, err
	}
	if d.sub, err = b.Subscribe(Subject, func(_ string, data []byte) { d.take(data) }, d.Gap); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	d.end = end
	go d.run(ctx)
	return d, nil
}

// Close ends what it hears; what it holds stays. It may be called twice.
func (d *Devices) Close() {
	d.sub.Close()
	d.end()
	<-d.ended
}

// take takes what was published. What is older than what is held is for others.
func (d *Devices) take(data []byte) {
	before := d.Table()
	err := d.Take(data)
	switch {
	case errors.Is(err, device.ErrGap):
		d.log.Info().Err(err).Msg("device data: something was missed, asking for all")
	case err != nil && !errors.Is(err, device.ErrOld):
		d.log.Warn().Err(err).Msg("device data refused")
	}
	if now := d.Table(); now != before {
		d.log.Info().Uint64("version", now.Version()).Uint64("before", before.Version()).Time("made", now.Made()).Msg("device data: another version is used")
	}
}

// want has a version asked for.
func (d *Devices) want(version uint64) {
	select {
	case d.asks <- version:
	default: // one is about to be: a pin stays, so it is the same, or it will do until the next snapshot
	}
}

// run asks, and asks again for what is pinned and not here.
func (d *Devices) run(ctx context.Context) {
	defer close(d.ended)
	again := time.NewTicker(d.every)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if pinned := d.Pinned(); pinned != 0 && d.Version() != pinned {
				d.want(pinned)
			}
		case version := <-d.asks:
			if err := ask(ctx, d.bus, version); err != nil {
				d.log.Debug().Err(err).Msg("device data: can't ask")
				d.want(version)
			}
			if sleep(ctx, askPause) != nil {
				return
			}
		}
	}
}

func ask(ctx context.Context, b *bus.Bus, version uint64) error {
	return publish(ctx, b, AskSubject, strconv.AppendUint(nil, version, 10))
}

func publish(ctx context.Context, b *bus.Bus, subject string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.Publish(ctx, subject, data)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
