package source_test

import (
	"context"
	"net/http"
	"testing"

	"warmline.dev/edgelayer/source"
)

// BenchmarkDo is what a request costs besides the network, with everything on
// and with everything off.
func BenchmarkDo(b *testing.B) {
	answers := &http.Client{Transport: wire(func(*http.Request) (int, error) { return 200, nil })}
	for name, cfg := range map[string]source.Config{
		"on": {},
		"off": {
			Timeout: -1, Limit: source.Limit{Most: -1}, Breaker: source.Breaker{MinRequests: -1},
			Retry: source.Retry{Attempts: -1}, Hedge: source.Hedge{Quantile: -1},
		},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Name, cfg.URLs, cfg.Client = "films", []string{"http://films"}, answers
			s, err := source.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Do(context.Background(), source.Request{Path: "/films/7"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
