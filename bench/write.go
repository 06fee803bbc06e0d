package bench

import (
	"encoding/json"
	"io"
)

// measured is the report of a bench.
type measured interface {
	WriteTable(w io.Writer) error
	Err() error // nil if every measurement came to something
}

// write writes a report, and returns what went wrong with that or with measuring.
func write(w io.Writer, report measured, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(w).Encode(report)
	} else {
		err = report.WriteTable(w)
	}
	if err != nil {
		return err
	}
	return report.Err()
}
