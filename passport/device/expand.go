package device

import (
	"fmt"
	"strconv"
	"strings"
)

// expand lists what a list of a table's file stands for: texts with commas between
// them, of which Q50..65/5 is Q50, Q55, Q60 and Q65. Numbers have as many digits as
// the first. It lists no more than most.
func expand(list string, most int) ([]string, error) {
	var all []string
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		from, rest, isRange := strings.Cut(item, "..")
		if !isRange {
			if item == "" {
				return nil, fmt.Errorf("list %.80q: expected something between its commas", list)
			}
			all = append(all, item)
		} else {
			letters := strings.TrimRight(from, "0123456789")
			last, step, stepped := strings.Cut(rest, "/")
			if !stepped {
				step = "1"
			}
			first, ok1 := number(from[len(letters):])
			end, ok2 := number(last)
			by, ok3 := number(step)
			if !ok1 || !ok2 || !ok3 || end < first || by == 0 {
				return nil, fmt.Errorf("range %.80q: expected one such as Q50..95/5: from, to and step of up to 6 digits, upwards", item)
			}
			for n := first; n <= end && len(all) <= most; n += by {
				all = append(all, fmt.Sprintf("%s%0*d", letters, len(from)-len(letters), n))
			}
		}
		if len(all) > most {
			return nil, fmt.Errorf("list %.80q: expected at most %d", list, most)
		}
	}
	return all, nil
}

func number(s string) (int, bool) {
	for n := range len(s) {
		if s[n] < '0' || s[n] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && len(s) <= 6
}
