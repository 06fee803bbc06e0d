package contender_test

import (
	"net"
	"sync/atomic"
	"testing"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
)

// BenchmarkPage is the job with adapter and edge in this process, eight under way at
// any time: what a profile is taken of, but of node's adapter. warmline-bench job measures.
func BenchmarkPage(b *testing.B) {
	passports, err := tier.Passports()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range contender.All() {
		b.Run(c.Name, func(b *testing.B) {
			present(b, c)
			t, err := tier.New(tier.Config{Marshal: c.Marshal})
			if err != nil {
				b.Fatal(err)
			}
			if err := t.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			go func() { _ = c.Serve(b.Context(), l, t) }()
			client, err := c.Dial(b.Context(), []string{l.Addr().String()}, contender.Load{Concurrency: 8})
			if err != nil {
				b.Fatal(err)
			}
			var next atomic.Int64
			b.SetParallelism(4) // times the processors
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := client.Page(b.Context(), passports[next.Add(1)%tier.Users]); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
