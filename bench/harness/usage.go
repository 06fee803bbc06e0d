package harness

import (
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used since it began, and what it holds.
type Usage struct {
	CPU       time.Duration `json:"cpu_ns"` // of all its threads, in the system's calls too; 0 where it isn't known
	Mallocs   uint64        `json:"mallocs"`
	Allocated uint64        `json:"allocated_bytes"` // by these
	Memory    int64         `json:"memory_bytes"`    // resident, now; 0 where it isn't known
}

// ThisUsage is that of this process.
func ThisUsage() Usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{CPU: processTime(), Mallocs: m.Mallocs, Allocated: m.TotalAlloc, Memory: resident("self")}
}

// UsageOf is that of another process, which needs no part in it: without allocations,
// and all of it 0 where there is no /proc, or no such process any more. Its CPU time
// comes in steps of 10 ms.
func UsageOf(pid int) Usage {
	id := strconv.Itoa(pid)
	return Usage{CPU: processTimeOf(id), Memory: resident(id)}
}

// processTimeOf reads /proc/PID/stat, where the times are fields 14 and 15, after a
// name in parentheses that may have anything in it.
func processTimeOf(pid string) time.Duration {
	const tick = time.Second / 100 // USER_HZ, on every machine that Go runs on
	stat := proc(pid + "/stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from field 3
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

// Since is what was used since an earlier moment; the memory is what is held now.
func (u Usage) Since(before Usage) Usage {
	return Usage{CPU: u.CPU - before.CPU, Mallocs: u.Mallocs - before.Mallocs, Allocated: u.Allocated - before.Allocated, Memory: u.Memory}
}
