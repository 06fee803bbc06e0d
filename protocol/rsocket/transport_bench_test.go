package rsocket

import (
	"testing"

	"warmline.dev/internal/certs"
)

// BenchmarkEcho compares the transports: one call at a time, and 128 at once, on
// one connection; both sides are in this process, so allocations are theirs together.
func BenchmarkEcho(b *testing.B) {
	for _, scheme := range schemes {
		b.Run(scheme, func(b *testing.B) {
			l, addr := listen(b, scheme)
			cfg := Config{TLS: certs.Client()}
			serveAt(b, l, answering(echo()), cfg)
			c := dial(b, addr, Handler{}, cfg)
			payload := Payload{Data: make([]byte, 256)}
			b.Run("1", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Call(b.Context(), payload); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("128", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(64) // of 2 processors
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := c.Call(b.Context(), payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
			b.Run("5MB", func(b *testing.B) {
				large := Payload{Data: make([]byte, 5<<20)}
				b.ReportAllocs()
				b.SetBytes(int64(len(large.Data)))
				for b.Loop() {
					if _, err := c.Call(b.Context(), large); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
