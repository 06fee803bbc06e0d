package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Head is what stands before the figures of a bench, for who wants to judge them.
type Head struct {
	Bench      string            `json:"bench"`
	Date       time.Time         `json:"date"`
	Machine    Machine           `json:"machine"`
	Versions   map[string]string `json:"versions"` // by module
	Method     Method            `json:"method"`
	Contenders []Settings        `json:"contenders,omitempty"`
}

// Method is how it was measured.
type Method struct {
	Rounds   int     `json:"rounds"`
	Duration float64 `json:"duration_s"` // of one measurement
	WarmUp   float64 `json:"warm_up_s"`
	Text     string  `json:"text"`
}

// Settings are those of one contender.
type Settings struct {
	Name     string `json:"name"`
	Settings string `json:"settings"`
}

// NewHead is the head of a bench that begins now.
func NewHead(bench string, m Method) Head {
	return Head{Bench: bench, Date: time.Now().UTC().Truncate(time.Second), Machine: ThisMachine(), Versions: map[string]string{}, Method: m}
}

// Add names a contender, with the module whose version matters; empty: none does.
func (h *Head) Add(s Settings, module string) {
	h.Contenders = append(h.Contenders, s)
	if module != "" {
		h.Versions[module] = Version(module)
	}
}

// Write writes the head for people. title says what the bench is.
func (h Head) Write(b *strings.Builder, title string) {
	fmt.Fprintf(b, "warmline-bench %s: %s\n\n", h.Bench, title)
	fmt.Fprintf(b, "date      %s\n", h.Date.Format(time.RFC3339))
	fmt.Fprintf(b, "machine   %s\n", h.Machine)
	var versions []string
	for _, module := range slices.Sorted(maps.Keys(h.Versions)) {
		versions = append(versions, module+" "+h.Versions[module])
	}
	if len(versions) > 0 {
		fmt.Fprintf(b, "versions  %s\n", strings.Join(versions, ", "))
	}
	fmt.Fprintf(b, "rounds    %d of %g s for each, after %g s of warm-up\n", h.Method.Rounds, h.Method.Duration, h.Method.WarmUp)
	fmt.Fprintf(b, "method    %s\n\n", strings.ReplaceAll(h.Method.Text, "; ", ";\n          "))
	width := 0
	for _, s := range h.Contenders {
		width = max(width, len(s.Name))
	}
	for _, s := range h.Contenders {
		fmt.Fprintf(b, "%-*s  %s\n", width, s.Name, s.Settings)
	}
}
