package wire

import (
	"math"
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

// bar is one to be computed: a figure of one result, divided by that of
// another one if there is one. All are of payloads of barPayload bytes.
type bar struct {
	what        string
	of, against string // contenders; against may be empty
	inFlight    int
	figure      func(Result) float64
	atMost      bool
	limit       float64
}

const barPayload = 256

func rate(r Result) float64         { return r.OpsPerSecond }
func p50(r Result) float64          { return r.P50 }
func p99(r Result) float64          { return r.P99 }
func clientAllocs(r Result) float64 { return whole(r.ClientAllocs) }
func serverAllocs(r Result) float64 { return whole(r.ServerAllocs) }

// whole leaves out what the process allocates besides, for timers and the
// collector, which is some thousandths for each request.
func whole(allocs float64) float64 { return math.Round(allocs*20) / 20 }

const most, least = true, false

// bars are those that the design set before the engine was written.
var bars = []bar{
	{"p50, 1 in flight: warmline / tcp", "warmline", "tcp", 1, p50, most, 1.4},
	{"rate, 128 in flight: warmline / rsocket-go", "warmline", "rsocket-go", 128, rate, least, 4},
	{"rate, 128 in flight: warmline / grpc-bidi", "warmline", "grpc-bidi", 128, rate, least, 3.5},
	{"rate, 128 in flight: warmline / http1", "warmline", "http1", 128, rate, least, 15},
	{"p99, 128 in flight: warmline / grpc-bidi", "warmline", "grpc-bidi", 128, p99, most, 0.25},
	{"rate, 64 in flight: warmline-channel / tcp-pipelined", "warmline-channel", "tcp-pipelined", 64, rate, least, 0.35},
	{"rate, 64 in flight: warmline-channel, messages/s", "warmline-channel", "", 64, rate, least, 2e6},
	{"allocations per request, client, 1 in flight", "warmline", "", 1, clientAllocs, most, 2},
	{"allocations per request, server, 1 in flight", "warmline", "", 1, serverAllocs, most, 2},
	{"allocations per request, client, 128 in flight", "warmline", "", 128, clientAllocs, most, 2},
	{"allocations per request, server, 128 in flight", "warmline", "", 128, serverAllocs, most, 2},
	{"rate, 128 connections: warmline-each / tcp", "warmline-each", "tcp", 128, rate, least, 0.75},
	{"rate, 1024 connections: warmline-each / tcp", "warmline-each", "tcp", 1024, rate, least, 0.75},
}

// judge returns the bars that the results allow to judge.
func judge(results []Result) []harness.Bar {
	var judged []harness.Bar
	for _, b := range bars {
		of, ok := find(results, b.of, b.inFlight)
		if !ok {
			continue
		}
		value := b.figure(of)
		if b.against != "" {
			against, ok := find(results, b.against, b.inFlight)
			if !ok || b.figure(against) == 0 {
				continue
			}
			value /= b.figure(against)
		}
		if b.atMost {
			judged = append(judged, harness.AtMost(b.what, value, b.limit))
		} else {
			judged = append(judged, harness.AtLeast(b.what, value, b.limit))
		}
	}
	return judged
}

func find(results []Result, name string, inFlight int) (Result, bool) {
	i := slices.IndexFunc(results, func(r Result) bool {
		return r.Contender == name && r.InFlight == inFlight && r.Payload == barPayload
	})
	if i < 0 {
		return Result{}, false
	}
	return results[i], true
}

// barGroups is what has to be measured to judge every bar.
func barGroups() []group {
	needed := map[int][]string{}
	for _, b := range bars {
		needed[b.inFlight] = append(needed[b.inFlight], b.of, b.against)
	}
	var gs []group
	for inFlight, names := range needed {
		gs = append(gs, group{contender.Load{InFlight: inFlight, Payload: barPayload}, inOrder(names)})
	}
	slices.SortFunc(gs, func(a, b group) int { return a.load.InFlight - b.load.InFlight })
	return gs
}
