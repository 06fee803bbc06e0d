package rsocket

import "sync"

// work runs the handlers of a connection's requests.
//
// While tasks wait there is always a worker about to run that has none yet. So a
// handler that blocks delays nobody: the next worker takes over. And handlers
// that don't block are run one after another by the same worker, which costs no
// switch of goroutines for each. No worker is kept when there is nothing to do.
type work struct {
	wg   *sync.WaitGroup // joins the workers
	loop func()          // w.workOff, made once

	mu     sync.Mutex
	tasks  []task
	head   int  // tasks[:head] are taken
	coming bool // a worker was started and has not looked yet
}

// task is a request whose handler is to run.
type task interface{ run() }

func (w *work) add(t task) {
	w.mu.Lock()
	w.tasks = append(w.tasks, t)
	start := !w.coming
	w.coming = true
	w.mu.Unlock()
	if start {
		w.start()
	}
}

func (w *work) start() {
	w.wg.Add(1)
	go w.loop()
}

func (w *work) workOff() {
	defer w.wg.Done()
	w.mu.Lock()
	w.coming = false
	for {
		t := w.next()
		if t == nil {
			w.mu.Unlock()
			return
		}
		start := w.head < len(w.tasks) && !w.coming
		if start {
			w.coming = true
		}
		w.mu.Unlock()
		if start {
			w.start()
		}
		t.run()
		w.mu.Lock()
	}
}

// next takes the oldest task; nil if there is none. The caller holds mu.
func (w *work) next() task {
	if w.head == len(w.tasks) {
		return nil
	}
	t := w.tasks[w.head]
	w.tasks[w.head] = nil
	if w.head++; w.head == len(w.tasks) {
		w.head, w.tasks = 0, w.tasks[:0]
		if cap(w.tasks) > 256 {
			w.tasks = nil // the burst is over
		}
	}
	return t
}
