package rsocket

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// The tests of this file run in a bubble of synctest, where time is not real.

func TestClientSendsKeepaliveAndLeavesASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := Pipe()
		c, err := Client(ours, Setup{KeepAlive: 10 * time.Second, Lifetime: 25 * time.Second}, echo(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p := newPeer(t, patient{theirs})
		_, _, check := besideInMemory(t, echo(), Config{})
		start := time.Now()
		p.want("SETUP 0…", "KEEPALIVE 0 respond")
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("the first KEEPALIVE came after %v", d)
		}
		p.write(frame.AppendKeepAlive(nil, false, 0, nil))
		answered := time.Now()
		p.want("KEEPALIVE 0 respond", "KEEPALIVE 0 respond")
		check()
		p.want("ERROR 0 CONNECTION_ERROR no frame for 25s, the lifetime is 25s")
		if d := time.Since(answered); d != 25*time.Second {
			t.Errorf("left after %v", d)
		}
		check()
	})
}

func TestServerLeavesASilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p, check := besideInMemory(t, echo(), Config{})
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: 5 * time.Second}, 0, nil, nil))
		time.Sleep(3 * time.Second)
		p.write(frame.AppendKeepAlive(nil, true, 0, nil))
		p.want("KEEPALIVE 0")
		check()
		start := time.Now()
		p.want("ERROR 0 CONNECTION_ERROR no frame for 5s…")
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("left after %v", d)
		}
		onlyNeighbourLeft(t, s)
		check()
	})
}

// A client may not take a place for the 24 days that SETUP could ask for.
func TestTheLifetimeThatAServerBearsIsBounded(t *testing.T) {
	for _, tt := range []struct {
		most, want time.Duration
	}{{0, 10 * time.Minute}, {time.Minute, time.Minute}, {-1, 30 * time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s, p, check := besideInMemory(t, echo(), Config{MaxLifetime: tt.most})
			p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: 20 * time.Second, Lifetime: 30 * time.Minute}, 0, nil, nil))
			start := time.Now()
			p.want(fmt.Sprintf("ERROR 0 CONNECTION_ERROR no frame for %v, the lifetime is %v", tt.want, tt.want))
			if d := time.Since(start); d != tt.want {
				t.Errorf("left after %v, want %v", d, tt.want)
			}
			onlyNeighbourLeft(t, s)
			check()
		})
	}
}

func TestTrafficThatNeverPausesCountsAsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := besideInMemory(t, echo(), Config{})
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: 5 * time.Second}, 0, nil, nil))
		push := prefixed(frame.AppendMetadataPush(nil, []byte("m")))
		// Each write ends inside a frame, as the reads of a busy connection do.
		write := func(b []byte) {
			if _, err := p.nc.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		write(push[:4])
		for range 20 {
			time.Sleep(time.Second)
			write(append(append([]byte{}, push[4:]...), push[:4]...))
		}
		write(push[4:])
		p.write(frame.AppendKeepAlive(nil, true, 0, []byte("alive")))
		p.want("KEEPALIVE 0 alive")
	})
}

// A slow-loris says a byte now and then, so that something always comes and
// never a frame.
func TestSlowLoris(t *testing.T) {
	for name, tt := range map[string]struct {
		first  []byte // before its first byte
		within time.Duration
		want   string
	}{
		"before SETUP": {nil, 3 * time.Second, "ERROR 0 INVALID_SETUP no SETUP within 3s"},
		"behind SETUP": {
			prefixed(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Second, Lifetime: 5 * time.Second}, 0, nil, nil)),
			5 * time.Second, "ERROR 0 CONNECTION_ERROR no frame for 5s…",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var loris sync.WaitGroup
				t.Cleanup(loris.Wait) // it ends when it can't write any more
				s, p, check := besideInMemory(t, echo(), Config{FirstFrameTimeout: 3 * time.Second})
				start := time.Now()
				loris.Go(func() {
					_, err := p.nc.Write(tt.first)
					for err == nil {
						_, err = p.nc.Write([]byte{1})
						time.Sleep(900 * time.Millisecond)
					}
				})
				time.Sleep(2 * time.Second)
				check()
				p.want(tt.want)
				if d := time.Since(start); d != tt.within {
					t.Errorf("after %v", d)
				}
				onlyNeighbourLeft(t, s)
				check()
			})
		})
	}
}
