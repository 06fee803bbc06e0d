package rsocket

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// canLookOut says that there is a clock whose ticks cost those nothing who wait
// for a socket meanwhile.
const canLookOut = true

// lookout looks after the connections of the process whose turn may be free, all
// on one goroutine, which ends when there have been none for a while.
//
// Its clock is a timer descriptor. A timer of the runtime would make every wait
// for a socket one with a time limit, and setting that, for each exchange, takes
// longer than what is gained.
var lookout struct {
	mu      sync.Mutex
	conns   map[*Conn]struct{}
	running bool
}

// lookAfter has c.looked called every moment until it returns false.
func lookAfter(c *Conn) {
	lookout.mu.Lock()
	defer lookout.mu.Unlock()
	if lookout.conns == nil {
		lookout.conns = map[*Conn]struct{}{}
	}
	lookout.conns[c] = struct{}{}
	if !lookout.running {
		lookout.running = true
		go lookOut()
	}
}

func lookOut() {
	const patience = 50 // moments without a connection
	tick, stop := clock()
	defer stop()
	var conns []*Conn
	for idle := 0; ; idle++ {
		tick()
		lookout.mu.Lock()
		for c := range lookout.conns {
			conns = append(conns, c)
		}
		if len(conns) > 0 {
			idle = 0
		} else if idle > patience {
			lookout.running = false
			lookout.mu.Unlock()
			return
		}
		lookout.mu.Unlock()
		for _, c := range conns {
			if !c.looked() {
				lookout.mu.Lock()
				delete(lookout.conns, c)
				lookout.mu.Unlock()
				c.turn.looking.Store(false)
				if !c.turn.held.Load() {
					c.look() // it was freed in between
				}
			}
		}
		clear(conns)
		conns = conns[:0]
	}
}

// clock returns what waits for the next moment.
func clock() (tick, stop func()) {
	every := unix.NsecToTimespec(int64(moment))
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err == nil {
		err = unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil)
		f := os.NewFile(uintptr(fd), "timer")
		if err == nil {
			b := make([]byte, 8)
			return func() { _, _ = f.Read(b) }, func() { _ = f.Close() } // nothing else can happen to it
		}
		_ = f.Close()
	}
	// Out of descriptors, say.
	return func() { time.Sleep(moment) }, func() {}
}
