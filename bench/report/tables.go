package report

import (
	"fmt"
	"slices"
	"strings"

	"warmline.dev/bench/harness"
)

// tables are those of all benches, in the order of the page.
func (r *Report) tables() []table {
	var ts []table
	if r.Job != nil {
		ts = append(ts, jobTable(r.Job.Results))
	}
	if r.Chain != nil {
		ts = append(ts, chainTable(r.Chain.Results))
	}
	if r.Scale != nil {
		ts = append(ts, scaleTable(r.Scale.Results))
	}
	if r.Faults != nil {
		ts = append(ts, faultsTable(r.Faults.Results))
	}
	if r.Pieces != nil {
		ts = append(ts, piecesTable(r.Pieces.Results))
	}
	if r.Wire != nil {
		ts = append(ts, wireTable(r.Wire.Results))
	}
	return ts
}

func jobTable(results []JobResult) table {
	wireBytes := bytesUsed.called("bytes/job")
	wireBytes.write = known(size)
	figures := []figure{
		perSecond.called("jobs/s"), median, median.called("p90"), tail, tail.called("p99.9"),
		cpu.called("CPU/job"), cpu.called("CPU adapter"), cpu.called("CPU edge"),
		allocs.called("allocs adapter"), allocs.called("allocs edge"), wireBytes, failed,
	}
	rates := map[float64][]float64{} // by round-trip time
	for _, at := range openLoads(results) {
		rates[at[0].RTT] = append(rates[at[0].RTT], at[0].Rate)
	}
	return ofEach("job", "contender", figures, results, func(r JobResult) row {
		made := row{load: r.load(), of: r.Contender, cells: withSpread(
			spreadOf(r.JobsPerSecond, r.JobsMin, r.JobsMax), spreadOf(r.P50, r.P50Min, r.P50Max), cell{value: r.P90}, cell{value: r.P99}, cell{value: r.P999},
			spreadOf(r.CPU, r.CPUMin, r.CPUMax), cell{value: r.CPUAdapter}, cell{value: r.CPUEdge},
			cell{value: r.AllocsAdapter}, cell{value: r.AllocsEdge}, cell{value: r.Bytes}, cell{value: r.ErrorRatio})}
		if r.Mode == modeOpen {
			made.key, made.rate = fmt.Sprintf("%g, open, %d", r.RTT, slices.Index(rates[r.RTT], r.Rate)), r.Rate
		}
		return made
	})
}

// load is under what it was measured.
func (r JobResult) load() string {
	if r.Mode == modeOpen {
		return fmt.Sprintf("%s between the tiers, %s jobs/s arrive", millis(r.RTT), harness.Thousands(r.Rate))
	}
	return fmt.Sprintf("%s between the tiers, %d jobs at a time", millis(r.RTT), r.Concurrency)
}

// shortLoad is the same in a few words.
func (r JobResult) shortLoad() string {
	if r.Mode == modeOpen {
		return fmt.Sprintf("%s RTT, %s/s arrive", millis(r.RTT), harness.Thousands(r.Rate))
	}
	return fmt.Sprintf("%s RTT, %d at a time", millis(r.RTT), r.Concurrency)
}

func chainTable(results []ChainResult) table {
	return ofEach("chain", "contender", []figure{median, tail}, results, func(r ChainResult) row {
		load := fmt.Sprintf("%d in a chain, %s between the tiers", r.N, millis(r.RTT))
		if r.Shape != shapeChain {
			load = fmt.Sprintf("%d at once, %s between the tiers", r.N, millis(r.RTT))
		}
		return row{load: load, of: r.Contender, cells: withSpread(spreadOf(r.P50, r.P50Min, r.P50Max), cell{value: r.P99})}
	})
}

func scaleTable(results []ScaleResult) table {
	memory := bytesUsed
	memory.noise = relative(0.10)
	resident := memory
	resident.write = known(size)
	figures := []figure{
		cpu.called("CPU/job"), median, tail,
		resident.called("memory adapter"), resident.called("memory edge"), memory.called("adapter, each"), memory.called("edge, each"),
	}
	return ofEach("scale", "contender", figures, results, func(r ScaleResult) row {
		return row{load: howMany(r.N, r.Of), of: r.Contender, cells: []cell{
			spreadOf(r.CPU, r.CPUMin, r.CPUMax), spreadOf(r.P50, r.P50Min, r.P50Max),
			{value: r.P99},
			{value: r.AdapterBytes},
			{value: r.EdgeBytes},
			{value: r.AdapterBytesEach},
			{value: r.EdgeBytesEach},
		}}
	})
}

func faultsTable(results []FaultsResult) table {
	figures := []figure{
		failed, perSecond.called("answered/s"), median, tail,
	}
	return ofEach("faults", "contender", figures, results, func(r FaultsResult) row {
		load := faultCalled(r.Fault)
		if r.Rate > 0 {
			load += ", " + harness.Thousands(r.Rate) + " jobs/s arrive"
		}
		return row{load: load, of: r.Contender, key: r.Fault, rate: r.Rate, cells: []cell{
			{value: r.ErrorRatio}, spreadOf(r.JobsPerSecond, r.JobsMin, r.JobsMax), {value: r.P50}, spreadOf(r.P99, r.P99Min, r.P99Max),
		}}
	})
}

// faultCalled is what a fault is, for people.
func faultCalled(fault string) string {
	switch fault {
	case "none":
		return "nothing breaks"
	case "kill":
		return "an edge is killed"
	case "hang":
		return "a source hangs"
	case "replace":
		return "edges are replaced"
	case "overload":
		return "overload"
	}
	return fault
}

func piecesTable(results []PiecesResult) table {
	figures := []figure{
		{"each", nanos, less, relative(0.10)},
		{"CPU", known(nanos), less, relative(0.10)},
		allocs.called("allocs"), bytesUsed.called("bytes"),
	}
	return ofEach("pieces", "piece", figures, results, func(r PiecesResult) row {
		return row{load: r.Group, of: r.Piece, cells: withSpread(
			spreadOf(r.Time, r.Min, r.Max), cell{value: r.CPU}, cell{value: r.Allocs}, cell{value: r.Bytes})}
	})
}

func wireTable(results []WireResult) table {
	figures := []figure{perSecond.called("requests/s"), median, tail, allocs.called("allocs client"), allocs.called("allocs server")}
	return ofEach("wire", "contender", figures, results, func(r WireResult) row {
		load := fmt.Sprintf("%s B, %d in flight", harness.Thousands(float64(r.Payload)), r.InFlight)
		return row{load: load, of: r.Contender, cells: withSpread(
			spreadOf(r.OpsPerSecond, r.OpsMin, r.OpsMax), cell{value: r.P50}, cell{value: r.P99},
			cell{value: r.ClientAllocs}, cell{value: r.ServerAllocs})}
	})
}

func howMany(n int, of string) string {
	if n == 1 {
		of = strings.TrimSuffix(of, "s")
	}
	return harness.Thousands(float64(n)) + " " + of
}
