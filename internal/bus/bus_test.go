package bus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/logged"
)

func TestEmbedded(t *testing.T) {
	b := open(t, "")
	if s := b.Status(); !s.Connected || s.URL != "" || s.Since.IsZero() || s.Reason != "" {
		t.Errorf("as it opens: %+v", s)
	}
	all, one := hear(t, b, "warm.>"), hear(t, b, "warm.*.drop")
	publish(t, b, "warm.films.drop", "17")
	publish(t, b, "warm.films", "")
	publish(t, b, "elsewhere", "x")
	publish(t, b, "warm.films.drop", "18")
	all.want("warm.films.drop 17", "warm.films ", "warm.films.drop 18")
	one.want("warm.films.drop 17", "warm.films.drop 18")
	all.wantNothing()
	one.wantNothing()
	if s := b.Status(); s.Published != 4 || s.Gaps != 2 || s.Connections != 1 || s.Subscriptions != 2 || s.Dropped != 0 {
		t.Errorf("after all: %+v", s)
	}
	await.Until(t, "five deliveries are counted", func() bool { return b.Status().Delivered == 5 })
}

func TestOthersOnTheMachineJoin(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	guest := open(t, host.Status().URL)
	awaitConnected(t, guest, true)
	if guest.Status().URL != host.Status().URL {
		t.Errorf("a guest knows %q", guest.Status().URL)
	}
	atHost, atGuest := hear(t, host, "a"), hear(t, guest, "a")
	publish(t, guest, "a", "from the guest")
	publish(t, host, "a", "from the host")
	for _, e := range []*ears{atHost, atGuest} {
		e.want("a from the guest", "a from the host")
		e.wantNothing()
	}
}

func TestAHostThatGoesAndComesBack(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	url := host.Status().URL
	guest, log := openLogged(t, url)
	e := hear(t, guest, "a")
	host.Close()
	awaitConnected(t, guest, false)
	wantCutOff(t, guest)
	if s := guest.Status(); s.Reason == "" {
		t.Errorf("no reason is given: %+v", s)
	}

	back := open(t, strings.Replace(url, "nats://", "embedded://", 1))
	e.wantGap()
	publish(t, back, "a", "again")
	e.want("a again")
	e.wantNothing()
	if s := guest.Status(); !s.Connected || s.Connections != 2 || s.Reason != "" {
		t.Errorf("after all: %+v", s)
	}
	for _, part := range []string{"bus lost", "bus is back"} {
		if n := strings.Count(log.String(), part); n != 1 {
			t.Errorf("%q is logged %d times:\n%s", part, n, log.String())
		}
	}
}

func TestNobodyIsThereAtFirst(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	b, log := openLogged(t, "nats://"+address)
	wantCutOff(t, b)
	e := subscribe(t, b, "a")
	await.Until(t, "a reason is given", func() bool { return strings.Contains(b.Status().Reason, "refused") })
	e.wantNothing()
	open(t, "embedded://"+address)
	e.wantGap()
	publish(t, b, "a", "1")
	e.want("a 1")
	if n := strings.Count(log.String(), `"level":"warn"`); n != 1 {
		t.Errorf("that nobody is there is logged aloud %d times:\n%s", n, log.String())
	}
}

func TestOneOfSeveralServersWillDo(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	b := open(t, "nats://"+l.Addr().String()+","+host.Status().URL)
	hear(t, b, "a")
}

func TestManyPublishers(t *testing.T) {
	host := open(t, "embedded://127.0.0.1:0")
	guest := open(t, host.Status().URL)
	e := hear(t, host, "a.*")
	awaitConnected(t, guest, true)
	const publishers, each = 20, 50
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			for j := range each {
				if err := guest.Publish(await.Context(t), fmt.Sprintf("a.%d", i), fmt.Append(nil, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	for range publishers * each {
		subject, data, _ := strings.Cut(await.Value(t, "all messages", e.messages), " ")
		if data != fmt.Sprint(next[subject]) {
			t.Fatalf("%s brought %s, expected %d", subject, data, next[subject])
		}
		next[subject]++
	}
	e.wantNothing()
}

func TestPublishRefuses(t *testing.T) {
	b := open(t, "")
	e := hear(t, b, ">")
	for subject, part := range map[string]string{
		"":                       "words with dots",
		"a..b":                   "words with dots",
		"a b":                    "words with dots",
		"a\r\nPING":              "words with dots",
		"a.*":                    "without wildcards",
		"a.>":                    "without wildcards",
		strings.Repeat("x", 257): "at most 256",
	} {
		if err := b.Publish(t.Context(), subject, nil); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("Publish(%q): %v", subject, err)
		}
	}
	if err := b.Publish(t.Context(), "a", make([]byte, bus.MaxMessage+1)); err == nil || !strings.Contains(err.Error(), "65537 bytes, expected at most 65536") {
		t.Errorf("a large message: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Publish(ended, "a", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	largest := strings.Repeat("x", bus.MaxMessage)
	publish(t, b, strings.Repeat("y", 256), largest)
	e.want(strings.Repeat("y", 256) + " " + largest)
	e.wantNothing()
}

func TestTheDataIsTheCallersAgain(t *testing.T) {
	b := open(t, "")
	var kept [][]byte
	heard := make(chan struct{}, 2)
	inForce := make(chan struct{}, 1)
	_, err := b.Subscribe("a", func(_ string, data []byte) {
		kept = append(kept, data)
		heard <- struct{}{}
	}, func() { inForce <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	await.Value(t, "the subscription", inForce)
	data := []byte("1")
	for range 2 {
		if err := b.Publish(t.Context(), "a", data); err != nil {
			t.Fatal(err)
		}
		data[0]++
		await.Value(t, "a message", heard)
	}
	if string(kept[0]) != "1" || string(kept[1]) != "2" {
		t.Errorf("the subscriber keeps %q", kept)
	}
}

func TestClose(t *testing.T) {
	b := open(t, "embedded://127.0.0.1:0")
	e := hear(t, b, "a")
	b.Close()
	b.Close()
	e.Close()
	if err := b.Publish(t.Context(), "a", nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Publish: %v", err)
	}
	if _, err := b.Subscribe("a", func(string, []byte) {}, func() {}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Subscribe: %v", err)
	}
	if s := b.Status(); s.Connected {
		t.Errorf("%+v", s)
	}
}

func TestClosingReleasesWhoPublishes(t *testing.T) {
	b := open(t, "")
	var wg sync.WaitGroup
	begun := make(chan struct{}, 8)
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				err := b.Publish(context.Background(), "a", nil)
				if i == 0 {
					begun <- struct{}{}
				}
				if errors.Is(err, bus.ErrClosed) || errors.Is(err, bus.ErrNotConnected) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 8 {
		await.Value(t, "all publish", begun)
	}
	b.Close()
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	taken := open(t, "embedded://127.0.0.1:0").Status().URL
	const secret = "hunter2"
	for url, part := range map[string]string{
		strings.Replace(taken, "nats", "embedded", 1): "address already in use",
		"embedded://127.0.0.1":                        "and a port",
		"embedded://127.0.0.1:70000":                  "and a port",
		"embedded://0.0.0.0:0":                        "asks nobody who they are",
		"embedded://localhost:0":                      "an address of this machine alone",
		"embedded://u:hunter2@127.0.0.1:0":            "asks nobody who they are",
		"embedded://127.0.0.1:0,nats://h":             "stands alone",
		"nats://h,embedded://127.0.0.1:0":             "stands alone",
		"nats://h,tls://h":                            "tls:// for all",
		"http://u:hunter2@h":                          "number 1: expected",
		"nats://":                                     "number 1: expected",
		"nats://u:hunter2@h,":                         "number 2: expected",
		"nats://u:hunter2@h/path":                     "number 1: expected",
		"nats://u:hunter2/x@h":                        "number 1 can't be read (in a password, write /",
		"nats://u:1#hunter2@h":                        "number 1: expected",
		"nats://u:hunter2%zz@h":                       "number 1 can't be read",
		"hunter2":                                     "number 1: expected",
		strings.Repeat("nats://h,", 16) + "nats://h":  "at most 16 servers",
	} {
		b, err := bus.Open(bus.Config{URL: url})
		if err == nil {
			b.Close()
			t.Errorf("%s is taken", url)
			continue
		}
		if !strings.HasPrefix(err.Error(), "bus: ") || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := bus.Open(bus.Config{Name: strings.Repeat("x", 129)}); err == nil {
		t.Error("a long name is taken")
	}
}

func TestPasswordsAreKept(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var log logged.Log
	b, err := bus.Open(bus.Config{
		URL: fmt.Sprintf("nats://u:hunter2@%s,nats://hunter2@%[1]s", l.Addr()),
		Log: zerolog.New(&log).Level(zerolog.TraceLevel),
	})
	if err != nil {
		t.Fatal(err)
	}
	// A server that asks for a password, gets it and refuses.
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "INFO {\"auth_required\":true,\"max_payload\":1000}\r\n")
	buf := make([]byte, 1000)
	n, _ := nc.Read(buf)
	if !strings.Contains(string(buf[:n]), "hunter2") {
		t.Errorf("the server is told %q", buf[:n])
	}
	fmt.Fprintf(nc, "-ERR 'Authorization Violation'\r\n")
	nc.Close()
	l.Close()
	await.Until(t, "a reason is given", func() bool { return b.Status().Reason != "none yet" })
	b.Close()
	if s := b.Status(); strings.Contains(fmt.Sprintf("%+v", s)+log.String(), "hunter2") {
		t.Errorf("the password is in %+v or in\n%s", s, log.String())
	}
	if !strings.Contains(log.String(), "no bus yet") {
		t.Errorf("logged:\n%s", log.String())
	}
}
