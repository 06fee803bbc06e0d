package handover

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// clock names moments for others to tell them back: two edges have no common time,
// and how long something was on its way nobody knows.
type clock struct {
	name    string // it may be another edge's moment
	started time.Time
}

func newClock() clock { return clock{rand.Text(), time.Now()} }

// moment is now.
func (c clock) moment() string {
	return c.name + "." + strconv.FormatInt(int64(time.Since(c.started)), 10)
}

// time is that of a moment, if it is this clock's and has been.
func (c clock) time(moment string) (t time.Time, ok bool) {
	name, since, _ := strings.Cut(moment, ".")
	n, err := strconv.ParseInt(since, 10, 64)
	if err != nil || n < 0 || name != c.name || time.Duration(n) > time.Since(c.started) {
		return t, false
	}
	return c.started.Add(time.Duration(n)), true
}
