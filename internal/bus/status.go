package bus

import (
	"sync/atomic"
	"time"
)

// Status is how the bus is. Counts are since [Open].
type Status struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"` // of the connection, or of the time without

	// Reason is why there is no connection; "" while there is one.
	Reason string `json:"reason,omitempty"`

	// URL is what others can join this bus at, without passwords; "" for an
	// embedded one that listens nowhere.
	URL string `json:"url,omitempty"`

	Connections   uint64 `json:"connections"`
	Published     uint64 `json:"published"` // messages that the server has confirmed
	Delivered     uint64 `json:"delivered"` // messages given to subscribers
	Dropped       uint64 `json:"dropped"`   // messages that came too fast, or were too large
	Gaps          uint64 `json:"gaps"`      // that subscribers were told of
	Subscriptions int    `json:"subscriptions"`
}

type counts struct {
	connections, published, delivered, dropped, gaps atomic.Uint64
}

// Status returns it as it is now, at once.
func (b *Bus) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{
		Connected: b.connection != nil, Since: b.since, URL: b.target.shown,
		Connections: b.counts.connections.Load(), Published: b.counts.published.Load(),
		Delivered: b.counts.delivered.Load(), Dropped: b.counts.dropped.Load(), Gaps: b.counts.gaps.Load(),
		Subscriptions: len(b.subscriptions),
	}
	if b.reason != nil {
		s.Reason = clip(b.reason.Error())
	}
	return s
}
