package harness

import "time"

// SleepUntil returns at t, within some ten microseconds where the system allows
// that: Go's own timers are late by up to a millisecond on a system that idles. The
// goroutine must have locked its thread.
func SleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 {
		sleep(d)
	}
}
