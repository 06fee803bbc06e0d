package revocation

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// run numbers what is new, and tells it, until ctx ends.
func (p *Publisher) run(ctx context.Context) {
	defer close(p.over)
	beat, snapshot := time.NewTicker(beatEvery), time.NewTicker(snapshotEvery)
	defer beat.Stop()
	defer snapshot.Stop()
	later := time.NewTimer(beatEvery)
	defer later.Stop()
	for ready, failing := p.follower.ready, false; ; {
		var flushed chan error
		select {
		case e := <-p.queue:
			p.note(p.gathered(e))
		case flushed = <-p.flushes:
			p.note(p.queued(nil))
		case <-p.wake:
		case <-ready:
			p.ready, ready = true, nil
			p.counts.ready.Store(true)
			p.wants(want{beat: true})
		case <-beat.C:
			p.wants(want{beat: true})
		case <-snapshot.C:
			p.wants(want{snapshot: true})
		case <-later.C:
		case <-ctx.Done():
			p.note(p.queued(nil))
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			_, _ = p.tell(last) // who starts next tells the rest
			cancel()
			return
		}
		next, err := p.tell(ctx)
		if err != nil {
			next = p.retry
			p.retry = min(2*p.retry, retryLast)
			if p.counts.failures.Add(1); !failing {
				p.log.Warn().Err(err).Int("changes", len(p.untold)).Msg("revocation: can't tell, trying again")
			}
			failing = true
			err = fmt.Errorf("%w: %w", ErrNotTold, err)
		} else if p.retry = retryFirst; failing {
			p.log.Info().Msg("revocation: all is told")
			failing = false
		}
		if flushed != nil {
			flushed <- err
		}
		if next > 0 {
			later.Reset(next)
		}
	}
}

// gathered waits a little for others that come with an event.
func (p *Publisher) gathered(first entry) []entry {
	batch := []entry{first}
	if p.gather < 0 {
		return p.queued(batch)
	}
	enough := time.NewTimer(p.gather)
	defer enough.Stop()
	for len(batch) < maxEntries {
		select {
		case e := <-p.queue:
			batch = append(batch, e)
		case <-enough.C:
			return batch
		}
	}
	return batch
}

// queued takes what is there now: nobody else takes from the queue.
func (p *Publisher) queued(batch []entry) []entry {
	for range len(p.queue) {
		batch = append(batch, <-p.queue)
	}
	return batch
}

// note keeps what is new.
func (p *Publisher) note(batch []entry) { p.number(p.window.add(batch, time.Now())) }

// number gives what is new a number, under which it is told. Where it is much it is
// not told: who does not hold the same asks.
func (p *Publisher) number(news []entry) {
	if len(news) == 0 {
		return
	}
	signal(p.dirty)
	if len(news) > maxNews || len(p.untold) >= maxUntold {
		p.untold = nil
		p.seq++
		p.told.Store(p.seq)
		p.wants(want{beat: true})
		return
	}
	for some := range slices.Chunk(arrange(news), maxEntries) {
		p.seq++
		p.untold = append(p.untold, numbered{p.seq, p.keys.seal(kindChange, change{p.head(), some}.body())})
	}
}

func (p *Publisher) head() head {
	p.sent = max(p.sent+1, time.Now().UnixMilli())
	return head{p.epoch, p.seq, p.sent}
}

// tell tells what there is to be told: changes first. It returns after what time it
// should be called again, if that is not 0.
func (p *Publisher) tell(ctx context.Context) (next time.Duration, err error) {
	p.mu.Lock()
	learned, want := p.learned, p.want
	p.learned = nil
	p.want.beat, p.want.snapshot = false, false
	p.mu.Unlock()
	defer func() { // what was not told is to be told
		p.mu.Lock()
		defer p.mu.Unlock()
		p.want.beat = p.want.beat || want.beat
		p.want.snapshot = p.want.snapshot || want.snapshot
	}()
	p.number(learned)
	for len(p.untold) > 0 {
		if err := p.publish(ctx, ChangeSubject, p.untold[0].data); err != nil {
			return 0, err
		}
		p.counts.changes.Add(1)
		p.counts.changeBytes.Add(uint64(len(p.untold[0].data)))
		p.told.Store(p.untold[0].seq)
		p.untold = p.untold[1:]
	}
	if !p.ready {
		return 0, nil
	}
	if want.beat {
		if wait := beatPause - time.Since(p.lastBeat); wait > 0 {
			return wait, nil
		}
		if err := p.beat(ctx); err != nil {
			return 0, err
		}
		want.beat, p.lastBeat = false, time.Now()
	}
	if want.snapshot {
		if wait := snapshotPause - time.Since(p.lastSnapshot); wait > 0 {
			return wait, nil
		}
		if err := p.snapshot(ctx); err != nil {
			return 0, err
		}
		want.snapshot, p.lastSnapshot = false, time.Now()
	}
	return 0, nil
}

// beat says how far this publisher is.
func (p *Publisher) beat(ctx context.Context) error {
	m := beat{head: p.head()}
	// What both ends hold, whatever their clocks say.
	m.since = uint32(max(0, time.Now().Unix()-wholeSeconds(p.window.cfg.Window)))
	m.count, m.sum = p.window.all().digest(m.since)
	data := p.keys.seal(kindBeat, m.body())
	if err := p.publish(ctx, ChangeSubject, data); err != nil {
		return err
	}
	p.counts.beats.Add(1)
	p.counts.changeBytes.Add(uint64(len(data)))
	return nil
}

// snapshot says all there is.
func (p *Publisher) snapshot(ctx context.Context) error {
	for _, m := range snapshot(p.head(), slices.Collect(p.window.all().entries(0))) {
		data := p.keys.seal(kindPart, m.body())
		if err := p.publish(ctx, SnapshotSubject, data); err != nil {
			return err
		}
		p.counts.snapshotBytes.Add(uint64(len(data)))
	}
	p.counts.snapshots.Add(1)
	return nil
}

func (p *Publisher) publish(ctx context.Context, subject string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.bus.Publish(ctx, subject, data)
}

// keep puts on disk what is new, until ctx ends.
func (p *Publisher) keep(ctx context.Context) {
	for {
		select {
		case <-p.dirty:
		case <-ctx.Done():
			return
		}
		if p.sync() {
			continue
		}
		again := time.NewTimer(retryLast)
		select {
		case <-again.C:
			signal(p.dirty)
		case <-ctx.Done():
		}
		again.Stop()
	}
}

func (p *Publisher) sync() bool {
	err := p.window.Sync()
	if err != nil {
		p.log.Error().Err(err).Msg("revocation: changes are told, and would be lost if the publisher ended now")
	}
	return err == nil
}

type publisherCounts struct {
	ready                      atomic.Bool
	changes, beats, snapshots  atomic.Uint64
	changeBytes, snapshotBytes atomic.Uint64
	asks, refused, failures    atomic.Uint64
}

// PublisherStats are figures of a [Publisher]. Those without a unit are counts since
// [NewPublisher].
type PublisherStats struct {
	Ready  bool   // it has heard all that other publishers hold, and answers for all
	Others int    // publishers heard within the last 35 seconds
	Told   uint64 // the number of the last change that is behind it

	Changes       uint64 // messages
	Beats         uint64 // messages
	Snapshots     uint64 // told as a whole
	ChangeBytes   uint64 // of changes and beats: what every gateway gets
	SnapshotBytes uint64
	Asks          uint64
	Refused       uint64 // of what was asked: forged or malformed
	Failures      uint64 // to tell something at once

	Heard  Stats // what other publishers told
	Window WindowStats
}

// Stats returns them as they are now.
func (p *Publisher) Stats() PublisherStats {
	heard := p.follower.set.Stats()
	return PublisherStats{
		Ready: p.counts.ready.Load(), Others: heard.Publishers, Told: p.told.Load(),
		Changes: p.counts.changes.Load(), Beats: p.counts.beats.Load(), Snapshots: p.counts.snapshots.Load(),
		ChangeBytes: p.counts.changeBytes.Load(), SnapshotBytes: p.counts.snapshotBytes.Load(),
		Asks: p.counts.asks.Load(), Refused: p.counts.refused.Load(), Failures: p.counts.failures.Load(),
		Heard: heard, Window: p.window.Stats(),
	}
}
