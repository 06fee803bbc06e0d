package rsocket

import (
	"context"
	"slices"
	"sync"
)

// asideFrom is how much data is worth writing from where it stands: less is
// copied faster than its sender can be told that it is written.
const asideFrom = 64 << 10

// aside is the data of one frame that is written from where it stands. It is the
// sender's, who waits for it.
type aside struct {
	at   int           // it goes out behind so many bytes of the buffer
	done chan struct{} // closed when it is no longer needed: written, or the connection has failed

	mu   sync.Mutex
	data []byte // what is left; guarded by mu
}

// puts reports whether data is written from where it stands: if a socket takes
// it as it is, and nothing has to be kept. The caller holds mu.
func (w *writer) puts(data []byte) bool {
	return len(data) >= asideFrom && w.fd != nil && w.kept == nil
}

// wait returns when the sender may use its data again. What is left of it when
// ctx ends is copied: a frame that was begun has to be finished.
func (a *aside) wait(ctx context.Context) {
	if a == nil {
		return
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		a.mu.Lock()
		a.data = slices.Clone(a.data)
		a.mu.Unlock()
	}
}

func (a *aside) left() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.data) > 0
}

// write gives write at most so many of the bytes that are left. Write must not wait.
func (a *aside) write(most int, write func(b []byte) (int, error)) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := write(a.data[:min(most, len(a.data))])
	a.data = a.data[n:]
	return n, err
}

func release(all []*aside) {
	for _, a := range all {
		close(a.done)
	}
}
