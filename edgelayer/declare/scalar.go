package declare

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const maxName = 63

var (
	validName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)       // of sources and services
	validReadName = regexp.MustCompile(`^[a-z][A-Za-z0-9-]{0,62}$`)    // of what is read
	validMethod   = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,62}$`)     // of methods
	validArgument = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`) // of arguments, and what a result is under
)

// text is a scalar that has text in it.
func (r *reader) text(n *yaml.Node, what, how string) (string, bool) {
	v := resolved(n)
	if v.Kind != yaml.ScalarNode || isNull(v) || v.Value == "" {
		r.wrong(n, "%s is %s; expected %s", what, describe(v), how)
		return "", false
	}
	return v.Value, true
}

// duration is one of more than 0.
func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	const how = "a duration such as 400ms, 10s or 1m30s"
	s, ok := r.text(n, what, how)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.wrong(n, "%s is %q; expected %s", what, clip(s), how)
	case d <= 0:
		r.wrong(n, "%s is %s; expected more than 0", what, s)
	}
	return d
}

// share is a share of more than nothing, and of less than 100 % unless whole says
// that it may be that.
func (r *reader) share(n *yaml.Node, what string, whole bool) float64 {
	const how = "a share such as 10%"
	s, ok := r.text(n, what, how)
	if !ok {
		return 0
	}
	digits, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	switch {
	case !percent || err != nil || math.IsNaN(v):
		r.wrong(n, "%s is %q; expected %s", what, clip(s), how)
	case v <= 0:
		r.wrong(n, "%s is %s; expected more than 0%%", what, clip(s))
	case v > 100 && whole:
		r.wrong(n, "%s is %s; expected at most 100%%", what, clip(s))
	case v >= 100 && !whole:
		r.wrong(n, "%s is %s; expected less than 100%%", what, clip(s))
	}
	return v / 100
}

var units = map[string]float64{
	"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}

// size is a number of bytes.
func (r *reader) size(n *yaml.Node, what string) int64 {
	const how = "a size such as 64KiB, 16MiB or 1GiB"
	s, ok := r.text(n, what, how)
	if !ok {
		return 0
	}
	end := strings.LastIndexAny(s, "0123456789") + 1
	unit, known := units[strings.TrimSpace(s[end:])]
	v, err := strconv.ParseFloat(s[:end], 64)
	bytes := v * unit
	switch {
	case !known || err != nil || math.IsNaN(v) || strings.ContainsAny(s[:end], "eExXpP_"):
		r.wrong(n, "%s is %q; expected %s", what, clip(s), how)
	case bytes < 1 || bytes > 1<<40:
		r.wrong(n, "%s is %s; expected more than 0 and at most 1024GiB", what, clip(s))
		return 0
	}
	return int64(bytes)
}

// count is a whole number from 1 up to most.
func (r *reader) count(n *yaml.Node, what string, most int) int {
	s, ok := r.text(n, what, "a whole number")
	if !ok {
		return 0
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < 1 || v > most {
		r.wrong(n, "%s is %q; expected a whole number from 1 to %d", what, clip(s), most)
		return 0
	}
	return v
}

// yes is a boolean.
func (r *reader) yes(n *yaml.Node, what string) bool {
	v := resolved(n)
	if v.ShortTag() != "!!bool" {
		r.wrong(n, "%s is %s; expected true or false", what, describe(v))
	}
	return strings.EqualFold(v.Value, "true")
}

// texts is a scalar or a list of scalars.
func (r *reader) texts(n *yaml.Node, what, how string) (list []*yaml.Node) {
	v := resolved(n)
	if v.Kind != yaml.SequenceNode {
		if _, ok := r.text(n, what, how); ok {
			list = append(list, v)
		}
		return list
	}
	for _, e := range v.Content {
		if _, ok := r.text(e, what, how); ok {
			list = append(list, resolved(e))
		}
	}
	if len(v.Content) == 0 {
		r.wrong(n, "%s is an empty list; expected %s", what, how)
	}
	return list
}
