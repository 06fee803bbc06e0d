package wire

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/bench/wire/contender"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Of a library that a contender imports: the pool begins when it is imported.
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*Pool).purgePeriodically"))
}

const moment = 10 * time.Millisecond

func TestEveryLaneIsKeptBusy(t *testing.T) {
	load := contender.Load{InFlight: 3, Payload: 16}
	var calls [3]int64
	var client contender.Client
	for i := range calls {
		client.Lanes = append(client.Lanes, func(ctx context.Context, request []byte) ([]byte, error) {
			calls[i]++
			if ctx.Done() == nil {
				t.Error("a context that can't end")
			}
			return bytes.Clone(request), nil
		})
	}
	loop := NewLoop(client, load)
	for range 2 {
		calls = [3]int64{}
		s, err := loop.Run(t.Context(), moment)
		if err != nil {
			t.Fatal(err)
		}
		if total := calls[0] + calls[1] + calls[2]; s.Requests != total || s.OpsPerSecond <= 0 || s.OpsPerSecond*moment.Seconds() > float64(total)+0.5 {
			t.Errorf("%+v of %v calls", s, calls)
		}
		for i, n := range calls {
			if n == 0 {
				t.Errorf("lane %d was not used", i)
			}
		}
	}
}

// queue is a stream that echoes, and knows how much is under way.
type queue struct {
	requests [][]byte
	most     int
}

func (q *queue) Send(_ context.Context, request []byte) error {
	q.requests = append(q.requests, bytes.Clone(request))
	q.most = max(q.most, len(q.requests))
	return nil
}

func (q *queue) Recv(context.Context) ([]byte, error) {
	reply := q.requests[0]
	q.requests = q.requests[1:]
	return reply, nil
}

func TestStreamIsKeptFull(t *testing.T) {
	q := &queue{}
	loop := NewLoop(contender.Client{Stream: q}, contender.Load{InFlight: 7, Payload: 16})
	for range 2 {
		s, err := loop.Run(t.Context(), moment)
		if err != nil || s.Requests < 7 {
			t.Errorf("%+v, %v", s, err)
		}
		if q.most != 7 || len(q.requests) != 0 {
			t.Errorf("%d in flight at most, %d not taken at the end", q.most, len(q.requests))
		}
	}
}

// The slowest replies are those that have not come when time is up.
func TestLateReplyCountsForLatency(t *testing.T) {
	release := make(chan struct{})
	time.AfterFunc(5*moment, func() { close(release) })
	late := contender.Client{Lanes: []contender.Lane{func(_ context.Context, request []byte) ([]byte, error) {
		<-release
		return request, nil
	}}}
	s, err := NewLoop(late, contender.Load{InFlight: 1, Payload: 8}).Run(t.Context(), moment)
	if err != nil || s.Requests != 1 || s.P50 < float64(moment.Microseconds()) {
		t.Errorf("%+v, %v", s, err)
	}
	if s.OpsPerSecond <= 0 || s.OpsPerSecond > 1/moment.Seconds() {
		t.Errorf("one reply after %v makes %v a second", moment, s.OpsPerSecond)
	}
}

func TestWrongReplyAndFailureEndTheLoop(t *testing.T) {
	broken := errors.New("broken")
	load := contender.Load{InFlight: 2, Payload: 16}
	var calls atomic.Int64
	lane := func(third func(request []byte) ([]byte, error)) contender.Lane {
		return func(_ context.Context, request []byte) ([]byte, error) {
			if calls.Add(1) > 2 {
				return third(request)
			}
			return request, nil
		}
	}
	stale := func() contender.Lane { // answers with the first request for ever
		var first []byte
		return func(_ context.Context, request []byte) ([]byte, error) {
			if first == nil {
				first = bytes.Clone(request)
			}
			return first, nil
		}
	}
	for name, tt := range map[string]struct {
		client contender.Client
		want   string
	}{
		"failure":       {contender.Client{Lanes: []contender.Lane{lane(func([]byte) ([]byte, error) { return nil, broken })}}, "broken"},
		"empty reply":   {contender.Client{Lanes: []contender.Lane{lane(func([]byte) ([]byte, error) { return nil, nil })}}, "not what was sent"},
		"stale reply":   {contender.Client{Lanes: []contender.Lane{stale()}}, "not what was sent"},
		"out of order":  {contender.Client{Stream: &stack{}}, "not what was sent"},
		"stream is cut": {contender.Client{Stream: cut{&queue{}}}, "broken"},
	} {
		calls.Store(0)
		if _, err := NewLoop(tt.client, load).Run(t.Context(), time.Hour); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// stack answers the last request first.
type stack struct{ queue }

func (s *stack) Recv(context.Context) ([]byte, error) {
	last := len(s.requests) - 1
	reply := s.requests[last]
	s.requests = s.requests[:last]
	return reply, nil
}

// cut takes requests and fails.
type cut struct{ *queue }

func (cut) Recv(context.Context) ([]byte, error) { return nil, errors.New("broken") }
