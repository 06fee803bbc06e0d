package harness

import (
	"runtime"
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
	return Usage{CPU: processTime(), Mallocs: m.Mallocs, Allocated: m.TotalAlloc, Memory: resident()}
}

// Since is what was used since an earlier moment; the memory is what is held now.
func (u Usage) Since(before Usage) Usage {
	return Usage{CPU: u.CPU - before.CPU, Mallocs: u.Mallocs - before.Mallocs, Allocated: u.Allocated - before.Allocated, Memory: u.Memory}
}
