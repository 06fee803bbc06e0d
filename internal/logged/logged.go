// Package logged is a log for tests to look at.
package logged

import (
	"bytes"
	"sync"
)

// Log keeps what is written to it. The zero value is empty; it may be read while
// others write.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends. It never fails.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String is everything so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
