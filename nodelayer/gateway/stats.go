package gateway

import (
	"slices"
	"sync/atomic"
	"time"

	"warmline.dev/passport/device"
	"warmline.dev/protocol/peers"
)

// Stats are a gateway's figures: what it is like now, and counts since [New].
type Stats struct {
	Lines    int // of adapters
	Adapters int // versions of apps that take requests

	// Requests are the device requests that were answered, for each kind of device, in
	// the order of [device.Categories].
	Requests []Requests
	// Took is how long they took.
	Took Times

	Devices device.Stats // the data by which kinds of devices are told apart
	Peers   peers.Stats  // who was refused for who it is
}

// Requests are those of one kind of device, by what they were answered with.
type Requests struct {
	Device device.Category
	// Status counts by class: Status[2] are 200 to 299, up to Status[5]. Below 2 there
	// are none.
	Status [6]uint64
}

// Times are a histogram.
type Times struct {
	Count uint64
	Sum   time.Duration
	// Within counts those that took no longer than each of [Bounds].
	Within []uint64
}

// Bounds are those of the histogram of a gateway's answers, the shortest first.
func Bounds() []time.Duration { return slices.Clone(bounds[:]) }

var bounds = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
}

const categories = int(device.Browser) + 1

// counts are of answered requests.
type counts struct {
	status [categories][6]atomic.Uint64
	took   [len(bounds) + 1]atomic.Uint64 // by the first bound that is not exceeded; the last: by none
	sum    atomic.Int64
}

func (c *counts) add(of device.Category, status int, took time.Duration) {
	c.status[of][status/100].Add(1) // 200 to 599: take and HTTPStatus give no other
	bucket := 0
	for bucket < len(bounds) && took > bounds[bucket] {
		bucket++
	}
	c.took[bucket].Add(1)
	c.sum.Add(int64(took))
}

// Stats returns the figures now. Those of requests that are answered meanwhile may be
// in some and not yet in others.
func (s *Server) Stats() Stats {
	st := Stats{Lines: len(s.table.all()), Requests: make([]Requests, categories), Took: s.counts.times(), Devices: s.cfg.Devices.Stats()}
	for _, versions := range s.table.list() {
		st.Adapters += len(versions)
	}
	for i, of := range device.Categories() {
		st.Requests[i].Device = of
		for class := range st.Requests[i].Status {
			st.Requests[i].Status[class] = s.counts.status[of][class].Load()
		}
	}
	if s.cfg.Peers != nil {
		st.Peers = s.cfg.Peers.Stats()
	}
	return st
}

func (c *counts) times() Times {
	t := Times{Sum: time.Duration(c.sum.Load()), Within: make([]uint64, len(bounds))}
	for i := range c.took {
		t.Count += c.took[i].Load()
		if i < len(bounds) {
			t.Within[i] = t.Count
		}
	}
	return t
}
