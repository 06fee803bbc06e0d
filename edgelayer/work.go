package edgelayer

import "sync"

// work runs the calls of a conversation.
//
// While calls wait there is always a worker about to run that has none yet. So a
// method that waits for something delays no other call: the next worker takes
// over. And calls that are answered from memory are run one after another by the
// same worker: a goroutine for each starts with a small stack, and growing that
// costs about a fifth of such a call. No worker is kept when there is nothing to do.
type work struct {
	run func(*asked)
	wg  sync.WaitGroup // joins the workers

	mu sync.Mutex
	// guarded by mu
	calls  []*asked
	head   int  // calls[:head] are taken
	coming bool // a worker was started and has not looked yet
}

func (w *work) add(a *asked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, a)
	w.start()
}

// start starts a worker if calls wait and none is coming. The caller holds mu.
func (w *work) start() {
	if w.head < len(w.calls) && !w.coming {
		w.coming = true
		w.wg.Add(1)
		go w.workOff()
	}
}

func (w *work) workOff() {
	defer w.wg.Done()
	w.mu.Lock()
	w.coming = false
	for w.head < len(w.calls) {
		a := w.next()
		w.start()
		w.mu.Unlock()
		w.run(a)
		w.mu.Lock()
	}
	w.mu.Unlock()
}

// next takes the call that has waited longest. The caller holds mu.
func (w *work) next() *asked {
	a := w.calls[w.head]
	w.calls[w.head] = nil
	if w.head++; w.head == len(w.calls) {
		w.head, w.calls = 0, w.calls[:0]
	}
	return a
}
