package edge_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
	"warmline.dev/internal/invalidation"
)

// A hundred thousand messages about what has changed, as fast as they can be sent:
// the edge goes on answering, and what it answers then is right.
func TestAFloodOfInvalidations(t *testing.T) {
	const many = 100_000
	for name, message := range map[string]func(n int) string{
		"keys":     func(n int) string { return fmt.Sprintf(`{"source":"films","key":"%d"}`, n%5_000) },
		"prefixes": func(n int) string { return fmt.Sprintf(`{"source":"films","prefix":"x%d"}`, n) },
		"all":      func(int) string { return `{"source":"films","all":true}` },
		"garbage":  func(int) string { return "garbage" },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFilms(t)
			e, _ := start(t, f.declaration("1.0.0", "ttl: 10m"), func(cfg *edge.Config) { cfg.Bus = "embedded://127.0.0.1:0" })
			line := dial(t, e, nil)
			for n := 0; n < 5_000; n += 200 {
				ids := make([]string, 200)
				for i := range ids {
					ids[i] = fmt.Sprint(n + i)
				}
				if _, err := ask(t, line, ids...); err != nil {
					t.Fatal(err)
				}
			}
			before := runtime.NumGoroutine()
			bus, err := nats.Connect(e.Bus())
			if err != nil {
				t.Fatal(err)
			}
			defer bus.Close()
			flooded := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				defer close(flooded)
				for n := range many {
					if err := bus.Publish(invalidation.Subject, []byte(message(n))); err != nil {
						t.Error(err)
						return
					}
				}
				if err := bus.Flush(); err != nil {
					t.Error(err)
				}
			})
			calls, longest, goroutines := 0, time.Duration(0), 0
			for over := false; !over; calls++ {
				began := time.Now()
				if _, err := ask(t, line, fmt.Sprint(calls%10_000)); err != nil {
					t.Fatal(err)
				}
				longest = max(longest, time.Since(began))
				goroutines = max(goroutines, runtime.NumGoroutine())
				select {
				case <-flooded:
					over = true
				default:
				}
			}
			wg.Wait()
			f.version.Store(2)
			if err := bus.Publish(invalidation.Subject, []byte(`{"source":"films","all":true}`)); err != nil {
				t.Fatal(err)
			}
			await.Until(t, "the last message to be heard", func() bool {
				got, err := ask(t, line, "17")
				return err == nil && got[0].Version == 2
			})
			t.Logf("%d calls meanwhile, the longest took %v; %d goroutines, %d before", calls, longest, goroutines, before)
			if goroutines > before+200 {
				t.Errorf("%d goroutines, %d before", goroutines, before)
			}
		})
	}
}
