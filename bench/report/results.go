package report

import (
	"bytes"
	"encoding/json"
	"fmt"

	"warmline.dev/bench/harness"
)

// Bench is the report of one bench. As JSON it is what the bench printed, with the
// fields that are not known here, too.
type Bench[R any] struct {
	harness.Head
	Results  []R           `json:"results"`
	Bars     []harness.Bar `json:"bars"`
	Failures []Failure     `json:"failures,omitempty"`

	Groups  []harness.Settings `json:"groups"`  // what is measured together, where contenders are not
	Figures []Figure           `json:"figures"` // what is no result

	whole json.RawMessage // as it was read
}

// Figure is something by itself.
type Figure struct {
	What  string  `json:"figure"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Failure is a measurement that came to nothing: "error" and what it was.
type Failure map[string]any

// UnmarshalJSON keeps the whole beside what is known of it.
func (b *Bench[R]) UnmarshalJSON(data []byte) error {
	type known Bench[R] // without this method
	if err := json.Unmarshal(data, (*known)(b)); err != nil {
		return err
	}
	b.whole = bytes.Clone(data)
	return nil
}

// MarshalJSON returns what was read.
func (b *Bench[R]) MarshalJSON() ([]byte, error) {
	if b.whole == nil {
		return nil, fmt.Errorf("a bench's report that was not read from JSON")
	}
	return b.whole, nil
}

// WireResult is an echo by one contender under one load.
type WireResult struct {
	Contender    string  `json:"contender"`
	InFlight     int     `json:"in_flight"`
	Payload      int     `json:"payload_bytes"`
	OpsPerSecond float64 `json:"ops_per_s"`
	OpsMin       float64 `json:"ops_min"`
	OpsMax       float64 `json:"ops_max"`
	P50          float64 `json:"p50_us"`
	P99          float64 `json:"p99_us"`
	ClientAllocs float64 `json:"client_allocs_per_op"`
	ServerAllocs float64 `json:"server_allocs_per_op"`
}

// JobResult is the job by one contender under one load.
type JobResult struct {
	Contender     string  `json:"contender"`
	RTT           float64 `json:"rtt_ms"`
	Mode          string  `json:"mode"` // modeClosed or modeOpen
	Rate          float64 `json:"rate"` // of an open loop, jobs a second
	Concurrency   int     `json:"concurrency"`
	JobsPerSecond float64 `json:"jobs_per_s"`
	JobsMin       float64 `json:"jobs_min"`
	JobsMax       float64 `json:"jobs_max"`
	P50           float64 `json:"p50_us"`
	P50Min        float64 `json:"p50_min_us"`
	P50Max        float64 `json:"p50_max_us"`
	P90           float64 `json:"p90_us"`
	P99           float64 `json:"p99_us"`
	P999          float64 `json:"p999_us"`
	CPU           float64 `json:"cpu_us_per_job"`
	CPUMin        float64 `json:"cpu_min_us"`
	CPUMax        float64 `json:"cpu_max_us"`
	CPUAdapter    float64 `json:"cpu_adapter_us"`
	CPUEdge       float64 `json:"cpu_edge_us"`
	AllocsAdapter float64 `json:"allocs_adapter"`
	AllocsEdge    float64 `json:"allocs_edge"`
	Bytes         float64 `json:"bytes_per_job"`
	ErrorRatio    float64 `json:"error_ratio"`
}

// How jobs arrive.
const (
	modeClosed = "closed" // one that is done sends the next
	modeOpen   = "open"   // at a rate, whether others are done or not
)

// ChainResult is a chain or a fan of questions by one contender.
type ChainResult struct {
	Contender string  `json:"contender"`
	RTT       float64 `json:"rtt_ms"`
	Shape     string  `json:"shape"` // shapeChain or shapeFan
	N         int     `json:"n"`
	P50       float64 `json:"p50_us"`
	P50Min    float64 `json:"p50_min_us"`
	P50Max    float64 `json:"p50_max_us"`
	P99       float64 `json:"p99_us"`
}

// How questions hang together.
const (
	shapeChain = "chain" // each needs the answer to the one before it
	shapeFan   = "fan"   // none needs another's
)

// ScaleResult is the job while many lines or conversations are open.
type ScaleResult struct {
	Contender        string  `json:"contender"`
	Of               string  `json:"of"` // "lines" or "conversations"
	N                int     `json:"n"`
	CPU              float64 `json:"cpu_us_per_job"`
	CPUMin           float64 `json:"cpu_min_us"`
	CPUMax           float64 `json:"cpu_max_us"`
	P50              float64 `json:"p50_us"`
	P50Min           float64 `json:"p50_min_us"`
	P50Max           float64 `json:"p50_max_us"`
	P99              float64 `json:"p99_us"`
	AdapterBytes     float64 `json:"adapter_bytes"`
	EdgeBytes        float64 `json:"edge_bytes"`
	AdapterBytesEach float64 `json:"adapter_bytes_each"` // may be below 0
	EdgeBytesEach    float64 `json:"edge_bytes_each"`    // may be below 0
}

// FaultsResult is the job while something breaks.
type FaultsResult struct {
	Contender     string             `json:"contender"`
	Fault         string             `json:"fault"` // "none": nothing does
	Rate          float64            `json:"rate"`
	JobsPerSecond float64            `json:"jobs_per_s"`
	JobsMin       float64            `json:"jobs_min"`
	JobsMax       float64            `json:"jobs_max"`
	ErrorRatio    float64            `json:"error_ratio"`
	P50           float64            `json:"p50_us"`
	P99           float64            `json:"p99_us"`
	P99Min        float64            `json:"p99_min_us"`
	P99Max        float64            `json:"p99_max_us"`
	Errors        map[string]float64 `json:"errors"` // how often, by text
	Timeline      []Moment           `json:"timeline"`
	Events        []Event            `json:"events"`
	Rounds        int                `json:"rounds"` // of which the timeline has the sums; 0: 1
}

// Event is something that was done.
type Event struct {
	At   float64 `json:"t_ms"`
	What string  `json:"what"`
}

// Moment is what happened from then until the next one, in all rounds.
type Moment struct {
	At     float64 `json:"t_ms"`
	OK     float64 `json:"ok"`
	Failed float64 `json:"failed"`
	P99    float64 `json:"p99_us"`
}

// PiecesResult is what one piece costs by itself.
type PiecesResult struct {
	Piece  string  `json:"piece"`
	Group  string  `json:"group"` // may be empty
	Time   float64 `json:"ns_per_op"`
	Min    float64 `json:"ns_min"`
	Max    float64 `json:"ns_max"`
	CPU    float64 `json:"cpu_ns_per_op"` // 0: not known
	Allocs float64 `json:"allocs_per_op"`
	Bytes  float64 `json:"bytes_per_op"`
}
