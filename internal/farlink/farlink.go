// Package farlink is a line's way for tests: a proxy that takes its time each way
// and tells which frames went by.
package farlink

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// Link is a proxy in front of one address.
type Link struct {
	Addr string // where it is dialled, tcp://HOST:PORT

	mu     sync.Mutex
	frames []Frame // guarded by mu
	conns  []net.Conn
}

// Frame is one that has gone by.
type Frame struct {
	Up   bool // from who dialled
	Type frame.Type
	Item bool // with the Next flag: not only the end of a stream
}

// New puts a proxy before a TCP address, HOST:PORT, that delays all bytes by as
// much each way. It ends with the test.
func New(t testing.TB, behind string, delay time.Duration) *Link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	link := &Link{Addr: "tcp://" + l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", behind)
			if err != nil {
				_ = near.Close()
				continue
			}
			link.mu.Lock()
			link.conns = append(link.conns, near, far)
			link.mu.Unlock()
			wg.Go(func() { link.carry(far, near, true, delay) })
			wg.Go(func() { link.carry(near, far, false, delay) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		link.cut()
		wg.Wait()
	})
	return link
}

// cut breaks all connections.
func (l *Link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// Frames returns what has gone by, and forgets it.
func (l *Link) Frames() []Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.frames
	l.frames = nil
	return f
}

// chunk is bytes that are due.
type chunk struct {
	b   []byte
	due time.Time
}

// carry carries one direction until it ends.
func (l *Link) carry(to, from net.Conn, up bool, delay time.Duration) {
	chunks := make(chan chunk, 1<<16)
	var wg sync.WaitGroup
	wg.Go(func() {
		for c := range chunks {
			time.Sleep(time.Until(c.due))
			if _, err := to.Write(c.b); err != nil {
				_ = from.Close()
			}
		}
		_ = to.Close()
	})
	var left []byte
	for {
		b := make([]byte, 64<<10)
		n, err := from.Read(b)
		if n > 0 {
			left = l.watch(append(left, b[:n]...), up)
			chunks <- chunk{b[:n], time.Now().Add(delay)}
		}
		if err != nil {
			break
		}
	}
	close(chunks)
	wg.Wait()
	_, _ = io.Copy(io.Discard, from)
}

// watch notes the frames of b and returns what is left of one.
func (l *Link) watch(b []byte, up bool) []byte {
	for len(b) >= 3 {
		n := 3 + int(b[0])<<16 + int(b[1])<<8 + int(b[2])
		if len(b) < n {
			break
		}
		l.mu.Lock()
		l.frames = append(l.frames, Frame{up, frame.Type(b[3+4] >> 2), b[3+5]&byte(frame.FlagNext) != 0})
		l.mu.Unlock()
		b = b[n:]
	}
	return b
}
