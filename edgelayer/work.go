package edgelayer

import "sync"

// work runs the calls of a conversation, and sends their answers.
//
// While tasks wait there is always a worker about to run that has none yet. So a
// method that waits for something delays no other call: the next worker takes
// over. And calls that are answered from memory are run one after another by the
// same worker: a goroutine for each starts with a small stack, and growing that
// costs about a fifth of such a call. No worker is kept when there is nothing to do.
type work struct {
	wg sync.WaitGroup // joins the workers

	mu sync.Mutex
	// guarded by mu
	tasks  []task
	head   int  // tasks[:head] are taken
	coming bool // a worker was started and has not looked yet
}

// task is a call that is to be run, or the outbox.
type task interface{ run() }

func (w *work) add(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = append(w.tasks, t)
	w.start()
}

// addAtEnd is add by a task that is at its end: its worker looks again.
func (w *work) addAtEnd(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = append(w.tasks, t)
}

// start starts a worker if tasks wait and none is coming. The caller holds mu.
func (w *work) start() {
	if w.head < len(w.tasks) && !w.coming {
		w.coming = true
		w.wg.Add(1)
		go w.workOff()
	}
}

func (w *work) workOff() {
	defer w.wg.Done()
	w.mu.Lock()
	w.coming = false
	for w.head < len(w.tasks) {
		t := w.next()
		w.start()
		w.mu.Unlock()
		t.run()
		w.mu.Lock()
	}
	w.mu.Unlock()
}

// next takes the task that has waited longest. The caller holds mu.
func (w *work) next() task {
	t := w.tasks[w.head]
	w.tasks[w.head] = nil
	if w.head++; w.head == len(w.tasks) {
		w.head, w.tasks = 0, w.tasks[:0]
	}
	return t
}
