package line_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/logged"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol/rsocket"
)

// phoneBook is a name server of one name.
type phoneBook struct {
	mu    sync.Mutex
	hosts []string
	err   error
}

func (b *phoneBook) set(err error, hosts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts, b.err = hosts, err
}

func (b *phoneBook) lookup(_ context.Context, host string) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if host != "edges.example" {
		return nil, errors.New("no such host")
	}
	return b.hosts, b.err
}

func pool(t testing.TB, lookup line.Lookup, addresses ...string) *line.Pool {
	t.Helper()
	var targets []line.Target
	for _, a := range addresses {
		targets = append(targets, line.Target{Address: a})
	}
	p, err := line.NewPool(await.Context(t), targets, lookup, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown(ended()) })
	return p
}

func peers(p *line.Pool) (all []string) {
	for _, l := range p.Lines() {
		all = append(all, strings.Split(l.Conn.RemoteAddr().String(), ":")[0])
	}
	slices.Sort(all)
	return all
}

func TestANameIsAllThatItStandsFor(t *testing.T) {
	first := play(t, "tcp://127.0.0.1:0", rsocket.Handler{})
	port := first.addr[strings.LastIndex(first.addr, ":"):]
	play(t, "tcp://127.0.0.2"+port, rsocket.Handler{})
	play(t, "tcp://127.0.0.3"+port, rsocket.Handler{})
	var book phoneBook
	book.set(nil, "127.0.0.1", "127.0.0.2")
	p := pool(t, book.lookup, "dns+tcp://edges.example"+port)
	if err := p.Wait(await.Context(t)); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "both peers", func() bool { return slices.Equal(peers(p), []string{"127.0.0.1", "127.0.0.2"}) })
	book.set(errors.New("the name server is down"))
	var kept *line.Member
	for kept == nil { // work under way with the one that goes
		if m, l := p.Pick(); strings.HasPrefix(l.Conn.RemoteAddr().String(), "127.0.0.1") {
			kept = m
		} else {
			m.Done()
		}
	}
	kept.Done()
	book.set(nil, "127.0.0.2", "127.0.0.3")
	await.Until(t, "the one to go and another to come", func() bool { return slices.Equal(peers(p), []string{"127.0.0.2", "127.0.0.3"}) })
	await.Until(t, "the peer to see it go", func() bool { return len(first.Conns()) == 0 })
}

// Of a name it is the certificate for that name that counts, not one for the address.
func TestANamesCertificate(t *testing.T) {
	for name, good := range map[string]bool{"edges.example": true, "other.example": false} {
		cfg := &tls.Config{Certificates: []tls.Certificate{certs.Known().Issue(certs.Request{DNS: []string{name}, Lasts: time.Hour})}}
		l, err := rsocket.ListenTLS(t.Context(), "tls://127.0.0.1:0", cfg)
		if err != nil {
			t.Fatal(err)
		}
		served := play(t, anyPort, rsocket.Handler{})
		go func() { _ = served.Serve(l) }() // it ends with the other
		var book phoneBook
		book.set(nil, "127.0.0.1")
		_, port, _ := strings.Cut(l.Addr().String(), ":")
		var log logged.Log
		p, err := line.NewPool(await.Context(t), []line.Target{{
			Address: "dns+tls://edges.example:" + port, Credentials: line.Credentials{TLS: certs.Client},
		}}, book.lookup, zerolog.New(&log))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Shutdown(ended()) }()
		if good {
			if err := p.Wait(await.Context(t)); err != nil {
				t.Error(err)
			}
			continue
		}
		await.Until(t, "it to be refused", func() bool {
			return strings.Contains(log.String(), "certificate is valid for other.example, not edges.example")
		})
		if len(p.Lines()) > 0 {
			t.Error("there is a line")
		}
	}
}

func TestANameThatStandsForNothingYetIsLookedUpAgain(t *testing.T) {
	peer := play(t, "tcp://127.0.0.1:0", rsocket.Handler{})
	port := peer.addr[strings.LastIndex(peer.addr, ":"):]
	var book phoneBook
	made := make(chan error, 1)
	go func() {
		p, err := line.NewPool(await.Context(t), []line.Target{{Address: "dns+tcp://edges.example" + port}}, book.lookup, zerolog.Nop())
		if err == nil {
			err = p.Wait(await.Context(t))
			_ = p.Shutdown(ended())
		}
		made <- err
	}()
	time.Sleep(10 * time.Millisecond)
	book.set(nil, "127.0.0.1")
	if err := await.Value(t, "the pool", made); err != nil {
		t.Error(err)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var book phoneBook
	book.set(nil, "127.0.0.1")
	for address, want := range map[string]string{
		"dns+tcp://:7070":              `address "dns+tcp://:7070": expected a host name, as in dns+tcp://HOST:PORT`,
		"dns+http://edges.example:1":   `rsocket: address "http://127.0.0.1:1": expected`,
		"dns+tcp://other.example:7070": "dns+tcp://other.example:7070: no such host",
	} {
		_, err := line.NewPool(ctx, []line.Target{{Address: address}}, book.lookup, zerolog.Nop())
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}

func TestAPoolNeedsOneOfItsPeers(t *testing.T) {
	refuses, there := play(t, anyPort, rsocket.Handler{}), play(t, anyPort, rsocket.Handler{})
	refuses.refuse.Store(true)
	p := pool(t, nil, refuses.addr, nobody(t), there.addr)
	if err := p.Wait(await.Context(t)); err != nil {
		t.Error(err)
	}
	if m, l := p.Pick(); l == nil || l.Conn.RemoteAddr().String() != strings.TrimPrefix(there.addr, "tcp://") {
		t.Errorf("picked %v", l)
	} else {
		m.Done()
	}
	p = pool(t, nil, refuses.addr)
	if _, ok := errors.AsType[*line.RefusedError](p.Wait(await.Context(t))); !ok {
		t.Error("a pool of a peer that refuses does not say so")
	}
	if m, l := p.Pick(); l != nil || m != nil {
		t.Error("a line to a peer that refuses")
	}
}

// The quick one of two gets more of the work, and the slow one some.
func TestWorkGoesWhereItIsDoneSooner(t *testing.T) {
	quick, slow := play(t, anyPort, rsocket.Handler{}), play(t, anyPort, rsocket.Handler{})
	p := pool(t, nil, quick.addr, slow.addr)
	await.Until(t, "both lines", func() bool { return len(p.Lines()) == 2 })
	counts := map[string]int{}
	pick := func() *line.Member {
		m, l := p.Pick()
		addr := "tcp://" + l.Conn.RemoteAddr().String()
		counts[addr]++
		took := time.Millisecond
		if addr == slow.addr {
			took = 10 * time.Millisecond
		}
		m.Heard(took)
		return m
	}
	var under []*line.Member
	for range 110 { // and none is done
		under = append(under, pick())
	}
	if q, s := counts[quick.addr], counts[slow.addr]; q < 85 || s < 2 {
		t.Errorf("the quick one has %d, the slow one, a tenth as quick, %d", q, s)
	}
	for _, m := range under {
		m.Done()
	}
}
