package link_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warmline.dev/bench/link"
	"warmline.dev/internal/await"
)

// short is the delay where it doesn't matter.
const short = 250 * time.Microsecond

// target is an end behind a link; its connections are the test's.
type target struct {
	t *testing.T
	l net.Listener
}

func newTarget(t *testing.T) *target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &target{t, l}
}

func (tg *target) accept() *net.TCPConn {
	tg.t.Helper()
	_ = tg.l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := tg.l.Accept()
	if err != nil {
		tg.t.Fatal(err)
	}
	return own(tg.t, conn)
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return own(t, conn)
}

// own closes a connection at the end, and lets nothing wait on it for longer than a test may.
func own(t *testing.T, conn net.Conn) *net.TCPConn {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn.(*net.TCPConn)
}

// newLink returns the address of a link to a target.
func newLink(t *testing.T, tg *target, cfg link.Config) string {
	t.Helper()
	cfg.To = []string{tg.l.Addr().String()}
	l, err := link.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addresses()[0]
}

// joined returns both ends of a connection by a link.
func joined(t *testing.T, cfg link.Config) (near, far *net.TCPConn) {
	t.Helper()
	tg := newTarget(t)
	near = dial(t, newLink(t, tg, cfg))
	return near, tg.accept()
}

func write(t *testing.T, conn net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(conn, s); err != nil {
		t.Fatal(err)
	}
}

func wantRead(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != want {
		t.Fatalf("%q, %v; want %q", b, err, want)
	}
}

func wantEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if b, err := io.ReadAll(conn); err != nil || len(b) > 0 {
		t.Fatalf("%q, %v; want the end", b, err)
	}
}

// wantReset takes it that what is read breaks off, at once or when something has been written.
func wantReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v; want a reset connection", err)
	}
}

func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(b) // it never fails
	return b
}

// plenty is more than all sockets on the way hold, and differs from place to place.
func plenty() []byte { return bytes.Repeat(noise(65_521), 1000) }

// writePieces writes b in pieces of all sizes.
func writePieces(conn *net.TCPConn, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), 1<<rand.IntN(18)) // up to 128 KiB
		if _, err := conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return conn.CloseWrite()
}

// Connections are full in both directions, and to more than one target.
func TestBytesArriveUnchangedAndInOrder(t *testing.T) {
	targets := []*target{newTarget(t), newTarget(t)}
	l, err := link.New(link.Config{To: []string{targets[0].l.Addr().String(), targets[1].l.Addr().String()}, OneWay: short, Hold: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	up, down := [][]byte{noise(1 << 20), noise(1<<20 + 1)}, [][]byte{noise(1<<20 + 2), noise(1<<20 + 3)}
	var wg sync.WaitGroup
	defer wg.Wait()
	both := func(conn *net.TCPConn, send, want []byte) {
		wg.Go(func() {
			if err := writePieces(conn, send); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v; want %d others", len(got), err, len(want))
			}
		})
	}
	for range 8 {
		for i, address := range l.Addresses() {
			near := dial(t, address)
			both(near, up[i], down[i])
			both(targets[i].accept(), down[i], up[i])
		}
	}
}

func TestHundredsOfConnectionsTakeTurns(t *testing.T) {
	tg := newTarget(t)
	address := newLink(t, tg, link.Config{OneWay: short})
	var nears, fars []*net.TCPConn
	for range 300 {
		nears = append(nears, dial(t, address))
	}
	for range nears {
		fars = append(fars, tg.accept())
	}
	for _, near := range nears {
		write(t, near, near.LocalAddr().String())
	}
	for _, far := range fars {
		if _, err := io.CopyN(far, far, int64(len(nears[0].LocalAddr().String()))); err != nil {
			t.Fatal(err)
		}
	}
	for _, near := range nears {
		wantRead(t, near, near.LocalAddr().String())
	}
}

func TestOneDirectionMayEndBeforeTheOther(t *testing.T) {
	near, far := joined(t, link.Config{OneWay: short})
	write(t, near, "question")
	_ = near.CloseWrite()
	wantRead(t, far, "question")
	wantEnd(t, far)
	for range 3 {
		write(t, far, "answer")
		wantRead(t, near, "answer")
	}
	_ = far.Close()
	wantEnd(t, near)
}

func TestTheFarEndMayEndFirst(t *testing.T) {
	near, far := joined(t, link.Config{OneWay: short})
	write(t, far, "welcome")
	_ = far.CloseWrite()
	wantRead(t, near, "welcome")
	wantEnd(t, near)
	write(t, near, "thanks")
	_ = near.Close()
	wantRead(t, far, "thanks")
	wantEnd(t, far)
}

func TestResetIsPassedOn(t *testing.T) {
	for name, near := range map[string]bool{"by who dialled": true, "by the target": false} {
		t.Run(name, func(t *testing.T) {
			one, other := joined(t, link.Config{OneWay: short})
			if !near {
				one, other = other, one
			}
			_ = one.SetLinger(0)
			_ = one.Close()
			wantReset(t, other)
		})
	}
}

// Who closes without reading on is not written to for ever.
func TestWhoeverSendsLearnsThatTheOtherHasClosed(t *testing.T) {
	near, far := joined(t, link.Config{OneWay: short})
	_ = near.Close()
	wantEnd(t, far)
	for {
		_, err := far.Write(noise(10_000))
		if os.IsTimeout(err) {
			t.Fatal("nothing stops the sender")
		}
		if err != nil {
			return
		}
	}
}

func TestTargetThatIsNotThereResets(t *testing.T) {
	tg := newTarget(t)
	address := newLink(t, tg, link.Config{OneWay: short})
	_ = tg.l.Close()
	conn, err := net.Dial("tcp", address)
	if errors.Is(err, syscall.ECONNRESET) {
		return // it was quicker
	}
	if err != nil {
		t.Fatal(err)
	}
	wantReset(t, own(t, conn))
}

// The one who reads nothing is held back, loses nothing and delays nobody else.
func TestSenderWaitsForASlowReceiver(t *testing.T) {
	tg := newTarget(t)
	address := newLink(t, tg, link.Config{OneWay: short, Hold: 256 << 10})
	slow := dial(t, address)
	unread := tg.accept()
	sent := plenty()
	// Without a bound the link would take it all.
	_ = slow.SetWriteDeadline(time.Now().Add(2 * time.Second))
	n, err := slow.Write(sent)
	if !os.IsTimeout(err) {
		t.Fatalf("%d bytes of %d are on their way to who reads none, %v", n, len(sent), err)
	}
	near := dial(t, address)
	far := tg.accept()
	write(t, near, "faster")
	wantRead(t, far, "faster")
	_ = slow.CloseWrite()
	if got, err := io.ReadAll(unread); err != nil || !bytes.Equal(got, sent[:n]) {
		t.Errorf("%d bytes, %v; want the %d that were sent", len(got), err, n)
	}
}

// Where there is room the sender doesn't wait, and the end keeps its place behind
// what has not been taken yet.
func TestEndComesBehindWhatIsHeld(t *testing.T) {
	near, far := joined(t, link.Config{OneWay: short, Hold: 128 << 20})
	sent := plenty()
	if _, err := near.Write(sent); err != nil {
		t.Fatal(err)
	}
	_ = near.Close()
	if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(sent))
	}
}

// Pieces that are small take more than their bytes: those are bounded too.
func TestManySmallPiecesArriveAll(t *testing.T) {
	near, far := joined(t, link.Config{OneWay: 5 * time.Millisecond, Hold: 64 << 10})
	sent := noise(5000)
	go func() {
		for i := range sent {
			if _, err := near.Write(sent[i : i+1]); err != nil {
				t.Error(err)
			}
		}
		_ = near.CloseWrite()
	}()
	if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(sent))
	}
}

func TestEverythingTakesItsTimeEachWay(t *testing.T) {
	const oneWay = 20 * time.Millisecond
	began := time.Now()
	near, far := joined(t, link.Config{OneWay: oneWay})
	took := func(what string, least time.Duration) {
		t.Helper()
		if d := time.Since(began); d < least {
			t.Errorf("%s after %v; want %v at least", what, d, least)
		}
		began = time.Now()
	}
	write(t, near, "first")
	wantRead(t, far, "first")
	took("the first byte of a connection", 3*oneWay)
	write(t, near, "there")
	wantRead(t, far, "there")
	took("a byte there", oneWay)
	write(t, far, "back")
	wantRead(t, near, "back")
	took("a byte back", oneWay)
	_ = near.CloseWrite()
	wantEnd(t, far)
	took("the end", oneWay)
	_ = far.SetLinger(0)
	_ = far.Close()
	wantReset(t, near)
	took("a reset", oneWay)
}

// Who writes at once has not had to wait for the connection: the bytes do.
func TestFirstBytesWaitForTheirConnection(t *testing.T) {
	const oneWay = 20 * time.Millisecond
	tg := newTarget(t)
	address := newLink(t, tg, link.Config{OneWay: oneWay})
	// With a connection that it carries, the system notes when bytes of all others arrive too.
	write(t, dial(t, address), "before")
	wantRead(t, tg.accept(), "before")
	began := time.Now()
	write(t, dial(t, address), "early")
	wantRead(t, tg.accept(), "early")
	if took := time.Since(began); took < 3*oneWay {
		t.Errorf("they took %v; want %v at least", took, 3*oneWay)
	}
}

func TestCloseResetsWhatIsUnderWay(t *testing.T) {
	tg := newTarget(t)
	l, err := link.New(link.Config{To: []string{tg.l.Addr().String()}, OneWay: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	near := dial(t, l.Addresses()[0])
	far := tg.accept()
	early := dial(t, l.Addresses()[0]) // is not connected to its target yet
	write(t, near, "lost")
	full := make(chan error, 1)
	go func() { // to who doesn't read
		_, err := far.Write(plenty())
		full <- err
	}()
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	wantReset(t, near)
	if err := await.Value(t, "the sender is told", full); err == nil {
		t.Error("all was sent to nobody")
	}
	if _, err := early.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("%v; want a connection that has ended", err)
	}
	if conn, err := net.Dial("tcp", l.Addresses()[0]); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}

// Connections that have ended leave nothing behind.
func TestConnectionsThatEndAreForgotten(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lists open files in /proc")
	}
	files := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	tg := newTarget(t)
	address := newLink(t, tg, link.Config{OneWay: short})
	before := files()
	for i := range 30 {
		near := dial(t, address)
		far := tg.accept()
		switch i % 3 {
		case 0:
			_, _ = near.Close(), far.Close()
		case 1:
			_ = near.SetLinger(0)
			_, _ = near.Close(), far.Close()
		case 2:
			_ = near.CloseWrite()
			wantEnd(t, far)
			_ = far.CloseWrite()
			wantEnd(t, near)
			_, _ = near.Close(), far.Close()
		}
	}
	await.Until(t, "the link has closed its ends", func() bool { return files() <= before })
}

func TestConfigThatMakesNoSense(t *testing.T) {
	at := []string{"127.0.0.1:1"}
	for want, cfg := range map[string]link.Config{
		"expected at least one target, HOST:PORT":   {OneWay: short},
		`target "localhost": expected HOST:PORT`:    {To: []string{"localhost"}, OneWay: short},
		"0s one way: expected more than 0":          {To: at},
		"-1s one way: expected more than 0":         {To: at, OneWay: -time.Second},
		"at most 10s":                               {To: at, OneWay: time.Minute},
		"-1 bytes held: expected at least 65536":    {To: at, OneWay: short, Hold: -1},
		"65535 bytes held: expected at least 65536": {To: at, OneWay: short, Hold: 64<<10 - 1},
	} {
		if _, err := link.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", cfg, err, want)
		}
	}
}
