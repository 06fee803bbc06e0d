package load_test

import (
	"context"
	"testing"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/load"
)

// BenchmarkDriver is what a load costs by itself: the processor time of jobs that do
// nothing, as often as they are done in a bench.
func BenchmarkDriver(b *testing.B) {
	for name, cfg := range map[string]load.Config{
		"closed":        {Concurrency: 8},
		"open, 1,000/s": {Concurrency: 1000, Rate: 1000},
		"open, 4,000/s": {Concurrency: 1000, Rate: 4000},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Duration, cfg.Timeout = 100*time.Millisecond, time.Second
			var done int64
			before := harness.ThisUsage()
			for b.Loop() {
				s, err := load.Run(b.Context(), cfg, func(context.Context, int) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				done += s.Done
			}
			b.ReportMetric(float64(harness.ThisUsage().Since(before).CPU.Nanoseconds())/float64(done), "cpu-ns/job")
			b.ReportMetric(0, "ns/op") // says nothing
		})
	}
}
