package wire

import (
	"fmt"
	"slices"
	"time"

	"warmline.dev/bench/wire/contender"
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Contenders []string
	InFlight   []int
	Payload    []int // bytes

	// OnlyBars measures what the bars need instead of all the above.
	OnlyBars bool

	Rounds   int
	Duration time.Duration // of one measurement
	WarmUp   time.Duration // before it, not counted
}

// Limits of a [Config]: the least payload holds a request's number.
const (
	MaxInFlight = 16_384
	MinPayload  = 8
	MaxPayload  = 1 << 20
	maxBytes    = 256 << 20 // in flight: more would measure the machine's memory
)

// group is what is measured under one load, one contender after the other.
type group struct {
	load       contender.Load
	contenders []string
}

// groups checks a configuration and lists what it asks for.
func (c Config) groups() ([]group, error) {
	if c.Rounds < 1 || c.Duration <= 0 || c.WarmUp < 0 {
		return nil, fmt.Errorf("%d rounds of %v after %v: expected at least one round, and a duration", c.Rounds, c.Duration, c.WarmUp)
	}
	if c.OnlyBars {
		return barGroups(), nil
	}
	for _, name := range c.Contenders {
		if _, err := contender.Find(name); err != nil {
			return nil, err
		}
	}
	var gs []group
	for _, payload := range c.Payload {
		for _, inFlight := range c.InFlight {
			load := contender.Load{InFlight: inFlight, Payload: payload}
			if err := check(load); err != nil {
				return nil, err
			}
			gs = append(gs, group{load, inOrder(c.Contenders)})
		}
	}
	if len(gs) == 0 || len(gs[0].contenders) == 0 {
		return nil, fmt.Errorf("nothing to measure: expected at least one contender, number in flight and payload")
	}
	return gs, nil
}

// inOrder returns each name once, in the order of the tables.
func inOrder(names []string) []string {
	all := contender.Names()
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(names, name) })
}

func check(load contender.Load) error {
	switch {
	case load.InFlight < 1 || load.InFlight > MaxInFlight:
		return fmt.Errorf("%d in flight: expected 1 to %d", load.InFlight, MaxInFlight)
	case load.Payload < MinPayload || load.Payload > MaxPayload:
		return fmt.Errorf("payload of %d bytes: expected %d to %d", load.Payload, MinPayload, MaxPayload)
	case load.InFlight*load.Payload > maxBytes:
		return fmt.Errorf("%d in flight of %d bytes each: expected at most %d bytes in all", load.InFlight, load.Payload, maxBytes)
	}
	return nil
}
