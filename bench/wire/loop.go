package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"warmline.dev/bench/wire/contender"
)

// Loop keeps a client's requests in flight: each is sent when a reply has come.
type Loop struct {
	load    contender.Load
	workers []*worker
}

// worker is one goroutine of the loop. It drives a lane, or the stream.
type worker struct {
	drive func(ctx context.Context, w *worker, end time.Duration) error

	latency *hdrhistogram.Histogram // of every request sent before the end
	inTime  int64                   // replies that came before it
}

// Sample is what one measurement came to.
type Sample struct {
	Requests     int64   `json:"requests"` // sent within the time
	OpsPerSecond float64 `json:"ops_per_s"`
	P50          float64 `json:"p50_us"`
	P99          float64 `json:"p99_us"`
	Mallocs      uint64  `json:"mallocs"` // of this process
}

// NewLoop returns a loop that drives a client.
func NewLoop(client contender.Client, load contender.Load) *Loop {
	l := &Loop{load: load}
	for i, lane := range client.Lanes {
		l.add(driveLane(lane, newRequest(load, i)))
	}
	if client.Stream != nil {
		l.add(driveStream(client.Stream, load))
	}
	return l
}

func (l *Loop) add(drive func(context.Context, *worker, time.Duration) error) {
	// From 64 ns to a minute in steps of at most 1 %: 20 kB for each worker.
	const least, most, digits = 100, int64(time.Minute), 2
	l.workers = append(l.workers, &worker{drive: drive, latency: hdrhistogram.New(least, most, digits)})
}

// Run keeps the requests in flight for d, at least one by each lane, and returns
// when all are answered or the first has failed; then the others are not waited
// for. It may be called again.
//
// What is sent within d counts for the latency, what comes back within d for the
// rate: so a request that hangs at the end is not forgotten, and waiting for it
// lowers no rate. If nothing comes back within d, the rate is that of what came
// later.
func (l *Loop) Run(ctx context.Context, d time.Duration) (Sample, error) {
	var before, after runtime.MemStats
	var end time.Duration // known once begin is closed
	begin := make(chan struct{})
	ended := make(chan error, len(l.workers))
	for _, w := range l.workers {
		w.latency.Reset()
		w.inTime = 0
		go func() {
			// As applications do: every contender sees a context that may end.
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			<-begin
			ended <- w.drive(ctx, w, end)
		}()
	}
	runtime.ReadMemStats(&before)
	end = now() + d
	close(begin)
	for range l.workers {
		if err := <-ended; err != nil {
			return Sample{}, err
		}
	}
	took := now() - end + d
	runtime.ReadMemStats(&after)
	s := l.sum(d, took)
	s.Mallocs = after.Mallocs - before.Mallocs
	return s, nil
}

func (l *Loop) sum(d, took time.Duration) Sample {
	all, inTime := l.workers[0].latency, int64(0)
	for i, w := range l.workers {
		inTime += w.inTime
		if i > 0 {
			all.Merge(w.latency) // drops nothing: they are of one geometry
		}
	}
	if inTime == 0 {
		inTime, d = all.TotalCount(), took
	}
	micros := func(quantile float64) float64 { return float64(all.ValueAtQuantile(quantile)) / 1e3 }
	return Sample{
		Requests:     all.TotalCount(),
		OpsPerSecond: float64(inTime) / d.Seconds(),
		P50:          micros(50), P99: micros(99),
	}
}

func driveLane(lane contender.Lane, request []byte) func(context.Context, *worker, time.Duration) error {
	number := uint64(0)
	return func(ctx context.Context, w *worker, end time.Duration) error {
		sent := now()
		for {
			number++
			stamp(request, number)
			reply, err := lane(ctx, request)
			if err != nil {
				return err
			}
			came := now()
			w.answered(sent, came, end)
			if !bytes.Equal(reply, request) {
				return errWrongReply
			}
			if came >= end {
				return nil
			}
			sent = came // one look at the clock for each request
		}
	}
}

func driveStream(s contender.Stream, load contender.Load) func(context.Context, *worker, time.Duration) error {
	request, want := newRequest(load, 0), newRequest(load, 0)
	sentAt := make([]time.Duration, load.InFlight) // by number, around and around
	sent, taken := uint64(0), uint64(0)
	return func(ctx context.Context, w *worker, end time.Duration) error {
		clock := now()
		send := func() error {
			stamp(request, sent)
			sentAt[sent%uint64(len(sentAt))] = clock
			sent++
			return s.Send(ctx, request)
		}
		for range sentAt {
			if err := send(); err != nil {
				return err
			}
		}
		for taken < sent {
			reply, err := s.Recv(ctx)
			if err != nil {
				return err
			}
			clock = now()
			w.answered(sentAt[taken%uint64(len(sentAt))], clock, end)
			if stamp(want, taken); !bytes.Equal(reply, want) {
				return errWrongReply
			}
			taken++
			if clock >= end {
				continue
			}
			if err := send(); err != nil {
				return err
			}
		}
		return nil
	}
}

var errWrongReply = errors.New("a reply is not what was sent")

func (w *worker) answered(sent, came, end time.Duration) {
	_ = w.latency.RecordValue(int64(came - sent)) // fails above a minute, and nothing may take as long
	if came <= end {
		w.inTime++
	}
}

// newRequest returns a payload that differs from that of other workers.
func newRequest(load contender.Load, worker int) []byte {
	b := make([]byte, load.Payload)
	for i := range b {
		b[i] = byte(i + worker)
	}
	return b
}

// stamp numbers a request, so that no reply is taken for another's.
func stamp(request []byte, number uint64) { binary.BigEndian.PutUint64(request, number) }

var began = time.Now()

// now is the time since the process began: half as dear as time.Now.
func now() time.Duration { return time.Since(began) }
