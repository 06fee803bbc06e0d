//go:build !linux

package harness

import "time"

func sleep(d time.Duration) { time.Sleep(d) }
