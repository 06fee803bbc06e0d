package edgelayer

import (
	"context"
	"errors"
	"sync"

	"warmline.dev/protocol"
)

// view is what one conversation has read. What was read once stays as it was
// read, until the conversation changes it or asks for it fresh.
type view struct {
	most   int // bytes
	bearer *bearer

	mu sync.Mutex
	// guarded by mu
	held   int               // bytes
	reads  map[string]*read  // by question; nil: none
	writes map[string]uint64 // how often each service was written to; nil: none was
}

// read is one question that was asked.
type read struct {
	question string
	service  string

	// guarded by the view's mu; of out, after it has ended, by nothing
	done    chan struct{} // closed when it has ended; nil: nobody has had to wait
	writes  uint64        // of the service, when it began
	changes uint64        // of the passport, the same
	ended   bool
	out     outcome
	size    int // bytes that it holds
}

// overhead is about what the bookkeeping of one call takes, in bytes.
const overhead = 256

// appendQuestion appends what makes two calls the same.
func appendQuestion(dst []byte, method string, args protocol.Raw) []byte {
	return append(append(append(dst, method...), 0), args...)
}

// ask returns the answer that a question has had, or is about to have; otherwise
// load's. seen says that nothing was loaded.
func (v *view) ask(ctx context.Context, question []byte, service string, fresh bool, load func() outcome) (out outcome, seen bool) {
	for {
		r, own, done := v.find(question, service, fresh)
		if own {
			return v.finish(r, load()), false
		}
		if done != nil {
			select {
			case <-done:
			case <-ctx.Done():
				return outcome{err: ctx.Err()}, false
			}
		}
		if !gaveUp(r.out.err) {
			return r.out, true
		}
	}
}

// gaveUp reports whether a read ended because of who asked, not because of what
// was asked: another can do it.
func gaveUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// find returns the read that answers a question; own says that it is the caller's
// to do, and otherwise done what to wait for, if it has not ended.
func (v *view) find(question []byte, service string, fresh bool) (r *read, own bool, done <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r = v.reads[string(question)]
	if r != nil && !fresh && !v.outdated(r) {
		if r.done == nil && !r.ended {
			r.done = make(chan struct{})
		}
		return r, false, r.done
	}
	if r != nil {
		v.held -= r.size
	}
	r = &read{question: string(question), service: service, writes: v.writes[service], changes: v.bearer.changes()}
	if v.reads == nil {
		v.reads = map[string]*read{}
	}
	v.reads[r.question] = r
	return r, true, nil
}

// outdated reports whether a read is of what has changed since. One that has not
// ended may yet look at the passport. The caller holds mu.
func (v *view) outdated(r *read) bool {
	return r.writes != v.writes[r.service] || (!r.ended || r.out.personal) && r.changes != v.bearer.changes()
}

// finish keeps what a read came to, unless it failed or is outdated already.
func (v *view) finish(r *read, out outcome) outcome {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.done != nil {
		defer close(r.done)
	}
	if out.changed != 0 {
		r.changes = out.changed // its own, which its result tells of
	}
	r.ended, r.out = true, out
	switch {
	case v.reads[r.question] != r: // a later one is kept, or about to be
	case out.err != nil || v.outdated(r):
		delete(v.reads, r.question)
	default:
		r.size = len(r.question) + len(out.result) + overhead
		if r.out.err = v.holdLocked(r.size); r.out.err != nil {
			r.size, r.out.result = 0, nil
			delete(v.reads, r.question)
		}
	}
	return r.out
}

// hold takes room for something else that is kept for the conversation.
func (v *view) hold(size int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.holdLocked(size)
}

func (v *view) holdLocked(size int) error {
	if v.held+size > v.most {
		for key, r := range v.reads {
			if r.ended && v.outdated(r) {
				v.held -= r.size
				delete(v.reads, key)
			}
		}
	}
	if v.held+size > v.most {
		return protocol.Errorf(protocol.TooLarge, "what this conversation has read, and what its calls may refer to, would take more than %d bytes", v.most)
	}
	v.held += size
	return nil
}

// written outdates what was read of services that have changed.
func (v *view) written(services ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.writes == nil {
		v.writes = map[string]uint64{}
	}
	for _, name := range services {
		v.writes[name]++
	}
}
