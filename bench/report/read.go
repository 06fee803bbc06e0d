package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"warmline.dev/bench/harness"
)

// maxFile is the largest file that is read.
const maxFile = 16 << 20

// Read reads a report.json, or what one bench printed with --json. The error says
// what is wrong with a file that is neither.
func Read(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	r, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no report of warmline-bench: %w", path, err)
	}
	return r, nil
}

func parse(data []byte) (*Report, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	var top struct {
		Date    time.Time       `json:"date"`
		Machine harness.Machine `json:"machine"`
		Note    string          `json:"note"`
		Bench   string          `json:"bench"`
		Job     json.RawMessage `json:"job"`
		Chain   json.RawMessage `json:"chain"`
		Scale   json.RawMessage `json:"scale"`
		Faults  json.RawMessage `json:"faults"`
		Pieces  json.RawMessage `json:"pieces"`
		Wire    json.RawMessage `json:"wire"`
	}
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, err
	}
	r := &Report{Date: top.Date, Machine: top.Machine, Note: top.Note}
	if err := checkMachine(r.Machine); err != nil {
		return nil, err
	}
	if err := checkNote(r.Note); err != nil {
		return nil, err
	}
	if top.Bench != "" {
		return r, r.add(data, top.Bench)
	}
	for i, bench := range []json.RawMessage{top.Job, top.Chain, top.Scale, top.Faults, top.Pieces, top.Wire} {
		if len(bench) == 0 || string(bench) == "null" {
			continue
		}
		if err := r.add(bench, names[i]); err != nil {
			return nil, err
		}
	}
	if len(r.benches()) == 0 {
		return nil, errors.New("there is no bench in it")
	}
	return r, nil
}
