package contender_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
)

// A connection that is lost is made again by every contender.
func TestAllConnectAgain(t *testing.T) {
	passports, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contender.All() {
		t.Run(c.Name, func(t *testing.T) {
			tr, err := tier.New(tier.Config{Marshal: c.Marshal})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = c.Serve(context.Background(), l, tr) }()
			t.Cleanup(func() { _ = l.Close() })
			proxy := cut.New(t, l.Addr().String())
			ctx := await.Context(t)
			client, err := c.Dial(ctx, []string{fmt.Sprintf("127.0.0.1:%d", proxy.Port())}, contender.Load{Concurrency: 4})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if _, err := client.Page(ctx, passports[7]); err != nil {
					t.Fatal(err)
				}
				proxy.Cut()
				if c.Name == "rsocket-go" { // asked while it closes it is a data race of its own: see package interop
					await.Until(t, "a connection after the one that was lost", func() bool { return proxy.Times() > i+1 })
				}
				await.Until(t, "a page after the connection was lost", func() bool {
					_, err := client.Page(ctx, passports[7])
					return err == nil
				})
			}
		})
	}
}
