package job

import (
	"slices"

	"warmline.dev/bench/harness"
)

// bar is one to be computed: a figure of one result, divided by that of another.
type bar struct {
	what        string
	of, against string // contenders
	rtt         float64
	mode        string
	figure      func(Result) float64
	most        float64
}

func p50(r Result) float64 { return r.P50 }
func p99(r Result) float64 { return r.P99 }
func cpu(r Result) float64 { return r.CPU }

// bars are those that the design set before anything of this was written.
var bars = []bar{
	{"median, 1 ms round trip: warmline-pipelined / http1", "warmline-pipelined", "http1", 1, Closed, p50, 0.40},
	{"median, 1 ms round trip: warmline-pipelined / grpc-unary", "warmline-pipelined", "grpc-unary", 1, Closed, p50, 0.45},
	{"CPU per job: warmline-pipelined / http1", "warmline-pipelined", "http1", 0, Closed, cpu, 0.30},
	{"CPU per job: warmline-pipelined / grpc-unary", "warmline-pipelined", "grpc-unary", 0, Closed, cpu, 0.40},
	{"p99 at 80 % of http1's load: warmline-pipelined / http1", "warmline-pipelined", "http1", 0, Open, p99, 0.5},
}

// judge returns the bars that the results allow to judge.
func judge(results []Result) []harness.Bar {
	var judged []harness.Bar
	for _, b := range bars {
		of, ok := find(results, b, b.of)
		against, both := find(results, b, b.against)
		if ok && both && b.figure(against) > 0 {
			judged = append(judged, harness.AtMost(b.what, b.figure(of)/b.figure(against), b.most))
		}
	}
	return judged
}

func find(results []Result, b bar, name string) (Result, bool) {
	i := slices.IndexFunc(results, func(r Result) bool { return r.Contender == name && r.RTT == b.rtt && r.Mode == b.mode })
	if i < 0 {
		return Result{}, false
	}
	return results[i], true
}
