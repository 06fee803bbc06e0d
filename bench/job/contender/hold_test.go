package contender_test

import (
	"context"
	"strings"
	"testing"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
)

// What is held is open beside jobs, and until its context ends.
func TestConversationsAreHeld(t *testing.T) {
	passports, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contender.All() {
		if !c.Holds {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			ctx, end := context.WithCancel(await.Context(t))
			address := serve(t, c)
			client, err := c.Dial(await.Context(t), []string{address}, contender.Load{Concurrency: 4})
			if err != nil {
				t.Fatal(err)
			}
			var held []contender.Held
			for i := range 10 {
				h, err := client.(contender.Holder).Hold(ctx, passports[i])
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, h)
			}
			for n := range 3 {
				for _, h := range held {
					if next, err := h.Next(await.Context(t), n); next != n+1 || err != nil {
						t.Errorf("after %d comes %d, %v", n, next, err)
					}
				}
				if _, err := client.Page(await.Context(t), passports[0]); err != nil {
					t.Error(err)
				}
			}
			if strings.HasPrefix(c.Name, "warmline") {
				await.Until(t, "ten conversations are open, those of the pages over", func() bool { return conversations(t, address) == 10 })
			}
			end()
			for _, h := range held {
				if _, err := h.Next(await.Context(t), 3); err == nil {
					t.Error("answered after its end")
				}
			}
			if strings.HasPrefix(c.Name, "warmline") {
				await.Until(t, "no conversation is open", func() bool { return conversations(t, address) == 0 })
			}
		})
	}
}

func TestWhoSaysThatItHoldsDoes(t *testing.T) {
	for _, c := range contender.All() {
		t.Run(c.Name, func(t *testing.T) {
			present(t, c)
			client, err := c.Dial(await.Context(t), []string{serve(t, c)}, contender.Load{Concurrency: 1})
			if err != nil {
				t.Fatal(err)
			}
			if _, holds := client.(contender.Holder); holds != c.Holds {
				t.Errorf("it holds conversations: %t, it says %t", holds, c.Holds)
			}
		})
	}
}

// conversations are those that an edge of Warmline says are open.
func conversations(t *testing.T, address string) int64 {
	t.Helper()
	edge, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{"tcp://" + address}, Name: "asker", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer edge.Close()
	stats, err := nodelayer.Ask[edgelayer.Stats](await.Context(t), edge, "edge.stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	return stats.Conversations
}
