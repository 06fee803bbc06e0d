package harness

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine is what a bench ran on.
type Machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu,omitempty"` // where /proc says it
	System string `json:"system"`        // with the kernel's version, where /proc says it
	Go     string `json:"go"`
	Load   string `json:"load,omitempty"` // average of the minute before the bench, where /proc says it
}

// ThisMachine describes the machine as it is now.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	for line := range strings.Lines(proc("cpuinfo")) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	if kernel := proc("sys/kernel/osrelease"); kernel != "" {
		m.System += " " + strings.TrimSpace(kernel)
	}
	if fields := strings.Fields(proc("loadavg")); len(fields) > 0 {
		m.Load = fields[0]
	}
	return m
}

func (m Machine) String() string {
	s := fmt.Sprintf("%d cores", m.Cores)
	if m.CPU != "" {
		s += " (" + m.CPU + ")"
	}
	s += ", " + m.System + ", " + m.Go
	if m.Load != "" {
		s += ", load " + m.Load + " before"
	}
	return s
}

// proc reads a file that only some systems have.
func proc(name string) string {
	b, err := os.ReadFile("/proc/" + name)
	if err != nil {
		return ""
	}
	return string(b)
}

// Version of a module in this program; of the program's own module it is
// "(devel)" unless it was installed by a version.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Path == module {
		return info.Main.Version
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
