package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"warmline.dev/bench/harness"
)

// Added is what a round trip by a link takes, beyond what the same round trip takes
// without one (the median).
type Added struct {
	RTT    float64 `json:"rtt_ms"`        // that the link was asked for
	P50    float64 `json:"over_p50_us"`   // what it adds to that
	P99    float64 `json:"over_p99_us"`   //
	Direct float64 `json:"direct_p50_us"` // without the link
	Trips  int     `json:"trips"`         // that were measured
}

func (a Added) String() string {
	return fmt.Sprintf("the link adds %g ms %+.0f µs (p99 %+.0f µs)", a.RTT, a.P50, a.P99)
}

// WriteAdded writes what links add, for people, if there are any.
func WriteAdded(b *strings.Builder, links []Added) {
	for i, a := range links {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%s, by itself; direct trips %s\n", a, harness.Latency(a.Direct))
	}
}

// MeasureAll measures a link for each round-trip time that needs one, for d each but
// no longer than a second, and says so in progress.
func MeasureAll(ctx context.Context, rtts []time.Duration, d time.Duration, progress *harness.Progress) ([]Added, error) {
	var all []Added
	for _, rtt := range rtts {
		if rtt == 0 {
			continue
		}
		progress.Begin(fmt.Sprintf("what a link of %v adds", rtt))
		added, err := Measure(ctx, rtt/2, min(d, time.Second))
		if err != nil {
			return nil, errors.Join(ctx.Err(), fmt.Errorf("measuring a link of %v: %w", rtt, err))
		}
		all = append(all, added)
	}
	return all, nil
}

// Measure starts a link, makes round trips by it and without it in turn for d, one
// at a time, and returns what the link adds. Before each everybody has slept for a
// while, as between tiers that are apart everybody does.
func Measure(ctx context.Context, oneWay, d time.Duration) (a Added, err error) {
	const patience = 30 * time.Second // to start and connect
	limit := d + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the link: not measured after %v", limit))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // that it was killed says nothing
		}
	}()
	echo, err := harness.Start(ctx, "echo", EchoCommand)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, echo.Stop()) }()
	address, err := echo.Line()
	if err != nil {
		return a, err
	}
	link, err := Start(ctx, oneWay, address)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, link.Stop()) }()
	near, err := dialTraveller(ctx, address)
	if err != nil {
		return a, err
	}
	defer near.close()
	far, err := dialTraveller(ctx, link.Addresses[0])
	if err != nil {
		return a, err
	}
	defer far.close()
	if err := travel(near, far, oneWay, d); err != nil {
		return a, err
	}
	return added(near.took, far.took, 2*oneWay), nil
}

// travel makes the round trips in turn. The first ones don't count.
func travel(near, far *traveller, oneWay, d time.Duration) error {
	const warmUp = 10
	pause := min(2*oneWay, time.Millisecond) // enough to fall asleep
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		for i, end := 0, time.Now().Add(d); i <= warmUp || time.Now().Before(end); i++ {
			if i == warmUp {
				near.took, far.took = nil, nil
			}
			for _, t := range []*traveller{near, far} {
				harness.SleepUntil(time.Now().Add(pause))
				if err := t.trip(); err != nil {
					ended <- err
					return
				}
			}
		}
		ended <- nil
	}()
	return <-ended
}

func added(near, far []time.Duration, rtt time.Duration) Added {
	direct := quantile(near, 0.5)
	over := func(q float64) float64 { return micros(quantile(far, q) - direct - rtt) }
	return Added{RTT: float64(rtt) / 1e6, P50: over(0.5), P99: over(0.99), Direct: micros(direct), Trips: len(far)}
}

func quantile(values []time.Duration, q float64) time.Duration {
	values = slices.Sorted(slices.Values(values))
	return values[int(math.Ceil(q*float64(len(values))))-1]
}

// micros to a tenth.
func micros(d time.Duration) float64 { return math.Round(float64(d)/100) / 10 }

// traveller makes round trips to an echo.
type traveller struct {
	conn net.Conn
	stop func() bool
	took []time.Duration
}

func dialTraveller(ctx context.Context, address string) (*traveller, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &traveller{conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

func (t *traveller) close() {
	t.stop()
	_ = t.conn.Close() // the end of the context may have closed it
}

func (t *traveller) trip() error {
	var b [64]byte // a small request
	began := time.Now()
	if _, err := t.conn.Write(b[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(t.conn, b[:]); err != nil {
		return err
	}
	t.took = append(t.took, time.Since(began))
	return nil
}
