package rsocket

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// leasing grants a lease each 750 ms.
var leasing = Config{LeaseRequests: 2, LeaseTTL: time.Second, ResumeFor: time.Minute}

// wantLeases reads a lease that is granted at once, and its renewals.
func (p *peer) wantLeases() {
	p.t.Helper()
	for _, wait := range []time.Duration{0, 750 * time.Millisecond, 750 * time.Millisecond} {
		start := time.Now()
		p.want("LEASE 0 n=2 ttl=1000")
		if d := time.Since(start); d != wait {
			p.t.Errorf("a lease came after %v, want %v", d, wait)
		}
	}
}

// However often a connection is resumed, it renews its lease once each time, and
// a new carrier begins with a lease.
func TestResumedConnectionsRenewLeasesOnce(t *testing.T) {
	// Losses in the middle of a lease, and one that it is renewed in meanwhile; none
	// ends just when it is.
	losses := []time.Duration{0, 100 * time.Millisecond, 3100 * time.Millisecond, 0, 200 * time.Millisecond}

	t.Run("a server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, connect := startInMemory(t, answering(echo()), leasing)
			p := newPeer(t, patient{connect()})
			p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Hour, Lifetime: time.Hour, Token: []byte("t")}, frame.FlagLease, nil, nil))
			p.wantLeases()
			for _, loss := range losses {
				p.nc.Close()
				synctest.Wait() // the server has seen it
				time.Sleep(loss)
				p = newPeer(t, patient{connect()})
				p.write(frame.AppendResume(nil, frame.Resume{Token: []byte("t")}))
				p.want("RESUME_OK 0 at=0")
				p.wantLeases()
			}
		})
	})
	t.Run("a client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			carriers := make(chan net.Conn)
			redial := func(context.Context) (net.Conn, error) {
				ours, theirs := Pipe()
				carriers <- theirs
				return ours, nil
			}
			ours, theirs := Pipe()
			c, err := newClient(ours, Setup{KeepAlive: time.Hour, Lifetime: time.Hour}, echo(), leasing, redial)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			p := newPeer(t, patient{theirs})
			p.want("SETUP 0…")
			p.wantLeases()
			for _, loss := range losses {
				p.nc.Close()
				time.Sleep(loss)
				p = newPeer(t, patient{<-carriers})
				p.want("RESUME 0…")
				p.write(frame.AppendResumeOK(nil, 0))
				p.wantLeases()
			}
		})
	})
}

func TestEachLeaseIsForWhatTheServerSaysThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		says := []int{7, 0, 1000}
		_, p, _ := besideInMemory(t, echo(), Config{LeaseRequests: 100, LeaseTTL: 4 * time.Second, Leases: func() int {
			n := says[0]
			says = says[1:]
			return n
		}})
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour}, frame.FlagLease, nil, nil))
		p.want("LEASE 0 n=7 ttl=4000", "LEASE 0 n=1 ttl=4000", "LEASE 0 n=100 ttl=4000")
	})
}
