package declare

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
)

const maxName = 63

var (
	validName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)       // of sources and services
	validReadName = regexp.MustCompile(`^[a-z][A-Za-z0-9-]{0,62}$`)    // of what is read
	validMethod   = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,62}$`)     // of methods
	validArgument = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`) // of arguments, and what a result is under
)

// duration is one of more than 0.
func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	const how = "a duration such as 400ms, 10s or 1m30s"
	s, ok := r.Text(n, what, how)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.Wrong(n, "%s is %q; expected %s", what, mistake.Clip(s), how)
	case d <= 0:
		r.Wrong(n, "%s is %s; expected more than 0", what, s)
	}
	return d
}

// share is a share of more than nothing, and of less than 100 % unless whole says
// that it may be that.
func (r *reader) share(n *yaml.Node, what string, whole bool) float64 {
	const how = "a share such as 10%"
	s, ok := r.Text(n, what, how)
	if !ok {
		return 0
	}
	digits, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	switch {
	case !percent || err != nil || math.IsNaN(v):
		r.Wrong(n, "%s is %q; expected %s", what, mistake.Clip(s), how)
	case v <= 0:
		r.Wrong(n, "%s is %s; expected more than 0%%", what, mistake.Clip(s))
	case v > 100 && whole:
		r.Wrong(n, "%s is %s; expected at most 100%%", what, mistake.Clip(s))
	case v >= 100 && !whole:
		r.Wrong(n, "%s is %s; expected less than 100%%", what, mistake.Clip(s))
	}
	return v / 100
}

var units = map[string]float64{
	"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}

// size is a number of bytes.
func (r *reader) size(n *yaml.Node, what string) int64 {
	const how = "a size such as 64KiB, 16MiB or 1GiB"
	s, ok := r.Text(n, what, how)
	if !ok {
		return 0
	}
	end := strings.LastIndexAny(s, "0123456789") + 1
	unit, known := units[strings.TrimSpace(s[end:])]
	v, err := strconv.ParseFloat(s[:end], 64)
	bytes := v * unit
	switch {
	case !known || err != nil || math.IsNaN(v) || strings.ContainsAny(s[:end], "eExXpP_"):
		r.Wrong(n, "%s is %q; expected %s", what, mistake.Clip(s), how)
	case bytes < 1 || bytes > 1<<40:
		r.Wrong(n, "%s is %s; expected more than 0 and at most 1024GiB", what, mistake.Clip(s))
		return 0
	}
	return int64(bytes)
}

// count is a whole number from 1 up to most.
func (r *reader) count(n *yaml.Node, what string, most int) int {
	s, ok := r.Text(n, what, "a whole number")
	if !ok {
		return 0
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < 1 || v > most {
		r.Wrong(n, "%s is %q; expected a whole number from 1 to %d", what, mistake.Clip(s), most)
		return 0
	}
	return v
}
