package contender_test

import (
	"context"
	"net"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/await"
)

// present skips a test of what can't run here. Where everything is tested it has to.
func present(t testing.TB, c contender.Contender) {
	t.Helper()
	if c.Present == nil {
		return
	}
	if err := c.Present(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// serve starts a server of c, which lives as long as the test, and returns its address.
func serve(t *testing.T, c contender.Contender) string {
	t.Helper()
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
	return l.Addr().String()
}

// Every contender makes the same pages, counts the same, and does so again with two servers.
func TestAllDoTheSameJobs(t *testing.T) {
	passports, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	var want contender.Page // the first one's
	for _, c := range contender.All() {
		t.Run(c.Name, func(t *testing.T) {
			present(t, c)
			addresses := []string{serve(t, c), serve(t, c)}
			ctx := await.Context(t)
			client, err := c.Dial(ctx, addresses, contender.Load{Concurrency: 4})
			if err != nil {
				t.Fatal(err)
			}
			for range 4 { // cold and warm, at each server
				page, err := client.Page(ctx, passports[7])
				if err != nil {
					t.Fatal(err)
				}
				if want.Name == "" {
					want = page
				}
				if diff := cmp.Diff(want, page); diff != "" {
					t.Error(diff)
				}
			}
			if n, err := client.Chain(ctx, passports[1], 8); n != 8 || err != nil {
				t.Errorf("a chain of 8 comes to %d, %v", n, err)
			}
			if n, err := client.Fan(ctx, passports[1], 100); n != 5050 || err != nil {
				t.Errorf("a fan of 100 comes to %d, %v; want 5050", n, err)
			}
			if _, err := client.Page(ctx, []byte("forged")); err == nil {
				t.Error("a forged passport was taken")
			}
		})
	}
	if len(want.Items) != tier.Limit || want.Name != "Recommended for User 7" || want.Items[0].Title == "" || want.Items[0].Reason == "" || want.Items[0].Rating+want.Items[1].Rating == "" {
		t.Errorf("the page is %+v", want)
	}
}
