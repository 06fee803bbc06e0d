package harness

import (
	"os"
	"strconv"
	"strings"
)

// resident is the memory of a process ("self" is this one), as /proc has it.
func resident(pid string) int64 {
	fields := strings.Fields(proc(pid + "/statm"))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
