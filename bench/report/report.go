package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"warmline.dev/bench/harness"
)

// Report is what the benches have measured; one that was not run is nil. As JSON
// it is report.json.
type Report struct {
	Date    time.Time       `json:"date"`
	Machine harness.Machine `json:"machine"`
	Note    string          `json:"note,omitempty"` // what who reads it has to know first, if anything

	Job    *Bench[JobResult]    `json:"job,omitempty"`
	Chain  *Bench[ChainResult]  `json:"chain,omitempty"`
	Scale  *Bench[ScaleResult]  `json:"scale,omitempty"`
	Faults *Bench[FaultsResult] `json:"faults,omitempty"`
	Pieces *Bench[PiecesResult] `json:"pieces,omitempty"`
	Wire   *Bench[WireResult]   `json:"wire,omitempty"`
}

// New returns a report without benches, of this machine as it is now.
func New() *Report {
	return &Report{Date: time.Now().UTC().Truncate(time.Second), Machine: harness.ThisMachine()}
}

// Add puts the report of a bench into this one, in place of an earlier one of the
// same bench. It is whatever has the bench's JSON: the Go value, or the text as a
// [json.RawMessage].
func (r *Report) Add(bench any) error {
	data, err := json.Marshal(bench)
	if err != nil {
		return err
	}
	return r.add(data, "")
}

// names of the benches, in the order of the page.
var names = []string{"job", "chain", "scale", "faults", "pieces", "wire"}

// add puts the report of a bench into this one; name is that of the bench that it
// has to be of, if that is known.
func (r *Report) add(data []byte, name string) error {
	var which struct {
		Bench string `json:"bench"`
	}
	if err := json.Unmarshal(data, &which); err != nil {
		return err
	}
	if name != "" && which.Bench != "" && which.Bench != name {
		return fmt.Errorf("%s: that is the report of the bench %.40q", name, which.Bench)
	}
	switch which.Bench {
	case "job":
		return into(&r.Job, data)
	case "chain":
		return into(&r.Chain, data)
	case "scale":
		return into(&r.Scale, data)
	case "faults":
		return into(&r.Faults, data)
	case "pieces":
		return into(&r.Pieces, data)
	case "wire":
		return into(&r.Wire, data)
	case "":
		return fmt.Errorf(`%s: it has no "bench", as the report of one has`, cmp.Or(name, "not a bench"))
	}
	return fmt.Errorf("no bench %.40q: there are %s", which.Bench, strings.Join(names, ", "))
}

func into[R result](at **Bench[R], data []byte) error {
	var b Bench[R]
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	*at = &b
	return nil
}

// bench is what all benches' reports have.
type bench struct {
	*harness.Head
	bars     []harness.Bar
	failures []Failure
	groups   []harness.Settings
	figures  []Figure
	results  int
}

// benches are those that there are, in the order of the page.
func (r *Report) benches() []bench {
	var bs []bench
	bs = having(bs, r.Job)
	bs = having(bs, r.Chain)
	bs = having(bs, r.Scale)
	bs = having(bs, r.Faults)
	bs = having(bs, r.Pieces)
	return having(bs, r.Wire)
}

func having[R any](bs []bench, b *Bench[R]) []bench {
	if b == nil {
		return bs
	}
	return append(bs, bench{&b.Head, b.Bars, b.Failures, b.Groups, b.Figures, len(b.Results)})
}

// first is the bench that was run first; nil: none was.
func (r *Report) first() *bench {
	var first *bench
	for _, b := range r.benches() {
		if first == nil || b.Date.Before(first.Date) {
			first = &b
		}
	}
	return first
}

// missing are the names of the benches that there are not.
func (r *Report) missing() []string {
	var missing []string
	for _, name := range names {
		if !slices.ContainsFunc(r.benches(), func(b bench) bool { return b.Bench == name }) {
			missing = append(missing, name)
		}
	}
	return missing
}
