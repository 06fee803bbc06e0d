package js

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// The request that needs the next lease is made by the library once it has come.
func TestTheyWaitForOurLeases(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			how := terms{
				ours:   rsocket.Config{LeaseRequests: 3, LeaseTTL: 200 * time.Millisecond},
				theirs: options{"lease": options{"pending": 100}},
			}
			p := theyAsk(t, alpha3, theyDial, how, "leased", options{"times": 10})
			for _, r := range p.result().Replies { // one that we take for more than the lease is refused
				want(t, r, reply{message: message{Data: "leased"}})
			}
		})
	}
}

// 0.0.27 does not wait: it fails what has no lease, by itself.
func TestTheyKeepToOurLease(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			how := terms{
				ours:   rsocket.Config{LeaseRequests: 3},
				theirs: options{"lease": options{"requests": 1, "ttl": 60_000}},
			}
			p := theyAsk(t, v0, theyDial, how, "leased", options{"times": 5})
			lacks := reply{Error: &failure{Message: "Missing leases. Expired: false, allowedRequests: 0"}}
			leased := reply{message: message{Data: "leased"}}
			want(t, p.result().Replies, []reply{leased, leased, leased, lacks, lacks})
		})
	}
}

// They grant 3 requests in 50 ms, and again 3 more, twice.
func TestWeWaitForTheirLeases(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			p := weAsk(t, v0, theyDial, terms{
				ours:   rsocket.Config{LeaseRequests: 100},
				theirs: options{"lease": options{"requests": 3, "ttl": 60_000, "count": 3, "every": 50}},
			})
			outcomes := make(chan error, 10)
			ctx, cancel := context.WithCancel(t.Context())
			for i := range cap(outcomes) {
				go func() {
					m := message{Data: fmt.Sprint(i)}
					reply, err := p.conn.Call(ctx, m.payload())
					if err == nil && told(reply) != m {
						err = fmt.Errorf("got %q, want %q", told(reply), m)
					}
					outcomes <- err
				}()
			}
			for range 9 {
				if err := await.Value(t, "a request within the leases", outcomes); err != nil {
					t.Error(err)
				}
			}
			cancel() // nobody grants the tenth
			if err := await.Value(t, "the tenth request", outcomes); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that it was canceled", err)
			}
		})
	}
}

// 1.0.0-alpha.3 agrees to leases and grants none.
func TestTheyGrantNothing(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			p := weAsk(t, alpha3, theyDial, terms{
				ours:   rsocket.Config{LeaseRequests: 3},
				theirs: options{"lease": options{"pending": 100}},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := p.conn.Call(ctx, message{Data: "anybody?"}.payload()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want that it waits", err)
			}
		})
	}
}

func TestLeasesAreNotAgreedOn(t *testing.T) {
	ours := rsocket.Config{LeaseRequests: 3}
	theirs := map[*library]options{
		alpha3: {"lease": options{"pending": 100}},
		v0:     {"lease": options{"requests": 1, "ttl": 60_000}},
	}
	for _, l := range libraries {
		t.Run(l.name+", they ask for them", func(t *testing.T) {
			how := terms{theirs: theirs[l]}
			address := serve(t, how, func(*rsocket.Conn) (rsocket.Handler, error) { return rsocket.Handler{}, nil })
			p := &pair{t: t, program: runClient(t, l, how, address, "closed", nil)}
			got := p.result().Closed
			if l == v0 { // with leases it stumbles over its own end, and tells nobody why
				want(t, got, &failure{Message: "RSocketTcpClient: Socket closed unexpectedly."})
				return
			}
			want(t, got, &failure{uint32(frame.CodeUnsupportedSetup), "leases are not supported"})
		})
	}
	for _, c := range []struct {
		name string
		l    *library
		how  terms
		want failure
	}{
		{"1.0.0-alpha.3, we ask for them", alpha3, terms{ours: ours}, failure{uint32(frame.CodeRejectedSetup), "Lease has to be disabled"}},
		{"0.0.27, we ask for them", v0, terms{ours: ours}, failure{uint32(frame.CodeInvalidSetup), "RSocketServer: LEASE not supported."}},
		{"1.0.0-alpha.3, we do not", alpha3, terms{theirs: theirs[alpha3]}, failure{uint32(frame.CodeRejectedSetup), "Lease has to be enabled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dial(t, c.l, c.how, nil)
			await.Value(t, "the end", p.conn.Done())
			want(t, remote(p.conn.Err()), c.want)
		})
	}
}
