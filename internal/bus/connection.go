package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	connectTimeout = time.Second // for the connection and for each step of the greeting
	writeTimeout   = time.Second
	// A server that says nothing is given up at the third ping.
	pingInterval = time.Second
	maxPingsOut  = 2
	// confirmTimeout is longer than silence is borne: it is there for a server that
	// answers some pings and not others.
	confirmTimeout = 5 * time.Second
	maxBatch       = 256 // publications that share a confirmation
)

// connection is one connection to a server, from its greeting to its end. The
// client could connect again by itself, but then what is in force at the server,
// and what has reached it, can't be told: pings and subscriptions are carried
// over. It also gives up for good at errors that it does not know.
type connection struct {
	bus          *Bus
	nc           *nats.Conn
	cancel       context.CancelFunc // ends what is left of it
	publications chan publication
	woken        chan struct{} // holds one when the subscriptions are others
	closed       chan struct{} // closed when the client has
	ended        chan struct{} // closed when no publication is taken any more

	joined map[*Subscription]*nats.Subscription // owned by serve
}

// connect makes one attempt at each server.
func (b *Bus) connect(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &connection{
		bus: b, cancel: cancel, publications: make(chan publication), woken: make(chan struct{}, 1),
		closed: make(chan struct{}), ended: make(chan struct{}), joined: map[*Subscription]*nats.Subscription{},
	}
	d := &dialer{ctx: ctx, tls: strings.HasPrefix(b.target.shown, "tls://")}
	opts := nats.GetDefaultOptions()
	opts.Name = b.name
	opts.AllowReconnect = false
	opts.IgnoreDiscoveredServers = true
	opts.Timeout = connectTimeout
	opts.PingInterval, opts.MaxPingsOut = pingInterval, maxPingsOut
	opts.FlusherTimeout, opts.ReconnectOnFlusherError = writeTimeout, true
	opts.AsyncErrorCB = c.complain
	opts.ClosedCB = func(*nats.Conn) { close(c.closed) }
	if b.server != nil {
		opts.InProcessServer = b.server
	} else {
		opts.Servers = b.target.servers
		opts.CustomDialer, opts.SkipHostLookup = d, true
	}
	nc, err := opts.Connect()
	if err != nil {
		cancel()
		if errors.Is(err, nats.ErrNoServers) && d.err != nil {
			err = d.err // the client keeps it to itself
		}
		return nil, err
	}
	c.nc = nc
	return c, nil
}

// complain logs what the client has to say. Messages that were dropped are told
// by Dropped.
func (c *connection) complain(_ *nats.Conn, _ *nats.Subscription, err error) {
	event := c.bus.peers.Warn()
	if errors.Is(err, nats.ErrPermissionViolation) {
		event = c.bus.peers.Error()
	}
	event.Str("reason", clip(err.Error())).Msg("bus complains")
}

// serve does all that is said to the server, until ctx or the connection ends,
// and returns why.
func (c *connection) serve(ctx context.Context) error {
	defer close(c.ended)
	err := c.confirm(ctx, nil)
	for err == nil {
		var batch []publication
		select {
		case <-ctx.Done():
			err = ErrClosed
			continue
		case <-c.closed:
			err = lastError(c.nc)
			continue
		case <-c.woken:
		case p := <-c.publications:
			batch = c.gather(p)
		}
		err = c.confirm(ctx, batch)
	}
	c.cancel() // whatever the client still waits for on the socket
	c.nc.Close()
	<-c.closed
	return err
}

func lastError(nc *nats.Conn) error {
	if err := nc.LastError(); err != nil {
		return err
	}
	return nats.ErrConnectionClosed
}

// gather takes what else is there to be published.
func (c *connection) gather(first publication) []publication {
	batch := []publication{first}
	for len(batch) < maxBatch {
		select {
		case p := <-c.publications:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// confirm subscribes for who is new, publishes a batch, waits until the server has
// taken both, and tells everyone. An error ends the connection.
func (c *connection) confirm(ctx context.Context, batch []publication) error {
	before := c.nc.LastError()
	fresh, err := c.join()
	sent := batch[:0]
	for _, p := range batch {
		switch {
		case err != nil:
		case p.ctx.Err() != nil:
			p.done <- p.ctx.Err()
			continue
		default:
			perr := c.nc.Publish(p.subject, p.data)
			if errors.Is(perr, nats.ErrMaxPayload) {
				p.done <- fmt.Errorf("%d bytes are more than this server takes (%d)", len(p.data), c.nc.MaxPayload())
				continue
			}
			err = perr
		}
		sent = append(sent, p)
	}
	if err == nil {
		err = c.flush(ctx)
	}
	if err != nil {
		err = fmt.Errorf("the connection ended before the server confirmed: %w", err)
	}
	// The server says what it refuses before it answers the ping.
	refused := ""
	if after := c.nc.LastError(); err == nil && after != before && errors.Is(after, nats.ErrPermissionViolation) {
		refused = after.Error()
	}
	for _, p := range sent {
		switch {
		case err != nil:
			p.done <- err
		case strings.Contains(refused, fmt.Sprintf("Publish to %q", p.subject)):
			p.done <- errors.New(clip(refused))
		default:
			c.bus.counts.published.Add(1)
			p.done <- nil
		}
	}
	if err != nil {
		return err
	}
	for _, s := range fresh {
		if !strings.Contains(refused, fmt.Sprintf("Subscription to %q", s.subject)) {
			s.missed(0)
		}
	}
	return nil
}

// join makes the server's subscriptions those of the bus, and returns the new ones.
func (c *connection) join() (fresh []*Subscription, err error) {
	want := c.bus.subscribed()
	for s, n := range c.joined {
		if _, ok := want[s]; !ok {
			_ = n.Unsubscribe() // it fails where the connection has ended
			delete(c.joined, s)
		}
	}
	for s := range want {
		if _, ok := c.joined[s]; ok {
			continue
		}
		if c.joined[s], err = c.subscribe(s); err != nil {
			return nil, err
		}
		fresh = append(fresh, s)
	}
	return fresh, nil
}

func (c *connection) subscribe(s *Subscription) (*nats.Subscription, error) {
	epoch := s.epoch.Add(1)
	dropped := 0
	n, err := c.nc.Subscribe(s.subject, func(m *nats.Msg) {
		s.take(epoch, m.Subject, m.Data)
		// Messages are dropped while others wait, so one of those sees it.
		if now, _ := m.Sub.Dropped(); now > dropped {
			s.missed(now - dropped)
			dropped = now
		}
	})
	if err != nil {
		return nil, err
	}
	return n, n.SetPendingLimits(maxPending, maxPendingBytes)
}

func (c *connection) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	err := c.nc.FlushWithContext(ctx)
	// Who waits has a context too, and must not take this one's end for its own's.
	switch {
	case errors.Is(err, context.Canceled):
		return ErrClosed
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the server does not answer")
	case errors.Is(err, nats.ErrConnectionClosed):
		return lastError(c.nc) // which says why
	}
	return err
}
