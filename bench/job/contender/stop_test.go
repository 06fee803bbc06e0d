package contender_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/await"
)

// A server that is stopped takes nothing more, and finishes what it has begun.
func TestServersStopGracefully(t *testing.T) {
	passports, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contender.All() {
		if c.Name == "rsocket-go" {
			continue // it can only stop at once
		}
		t.Run(c.Name, func(t *testing.T) {
			present(t, c)
			asked, release := make(chan struct{}, 100), make(chan struct{})
			var givenUp atomic.Bool
			tr, err := tier.New(tier.Config{Marshal: c.Marshal, Source: func(ctx context.Context) error {
				asked <- struct{}{}
				select {
				case <-release:
				case <-ctx.Done():
					givenUp.Store(true)
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			patient := await.Context(t)
			ctx, stop := context.WithCancel(patient)
			defer stop()
			served := make(chan error, 1)
			go func() { served <- c.Serve(ctx, l, tr) }()
			client, err := c.Dial(patient, []string{l.Addr().String()}, contender.Load{Concurrency: 4})
			if err != nil {
				t.Fatal(err)
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				_, _ = client.Page(patient, passports[0]) // one that asks again finds nobody
			}()
			await.Value(t, "a question", asked)
			stop()
			await.Until(t, "nobody listens", func() bool {
				conn, err := net.Dial("tcp", l.Addr().String())
				if err == nil {
					conn.Close()
				}
				return err != nil
			})
			select {
			case err := <-served:
				t.Fatalf("it did not wait for what was under way: %v", err)
			default:
			}
			close(release)
			if err := await.Value(t, "the server ends", served); err != nil {
				t.Error(err)
			}
			await.Value(t, "the job ends", over)
			if givenUp.Load() {
				t.Error("what was under way was given up")
			}
		})
	}
}
