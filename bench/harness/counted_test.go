package harness

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"warmline.dev/internal/await"
)

// exchange is a connection by which a client and a server have told each other something.
func exchange(t *testing.T, l net.Listener, client, server string) (near, far net.Conn) {
	t.Helper()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	tell(t, near, far, client)
	tell(t, far, near, server)
	return near, far
}

func tell(t *testing.T, from, to net.Conn, said string) {
	t.Helper()
	if _, err := io.WriteString(from, said); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, len(said))); err != nil {
		t.Fatal(err)
	}
}

func listenCounted(t *testing.T) *Counted {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says what a connection has carried")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return NewCounted(l)
}

func TestCountedKnowsWhatWentOverConnections(t *testing.T) {
	l := listenCounted(t)
	if got := l.Bytes(); got != 0 {
		t.Errorf("%d bytes before there was a connection", got)
	}
	near, far := exchange(t, l, "12345", "123")
	if _, raw := far.(*net.TCPConn); !raw {
		t.Errorf("it hands out a %T", far)
	}
	exchange(t, l, strings.Repeat("x", 1000), "")
	if got := l.Bytes(); got != 1008 {
		t.Errorf("%d bytes; want 1008", got)
	}
	tell(t, far, near, strings.Repeat("x", 100_000))
	if got := l.Bytes(); got != 101_008 {
		t.Errorf("%d bytes; want 101,008", got)
	}
}

func TestCountedKeepsWhatItKnewOfConnectionsThatClose(t *testing.T) {
	l := listenCounted(t)
	near, far := exchange(t, l, "12345", "123")
	l.Bytes()
	_, _ = near.Close(), far.Close()
	for range 500 { // come and go, unseen
		near, far := exchange(t, l, "1", "")
		_, _ = near.Close(), far.Close()
	}
	if n := len(l.conns); n > 200 {
		t.Errorf("%d connections are kept", n)
	}
	exchange(t, l, "1234567", "")
	if got := l.Bytes(); got != 15 {
		t.Errorf("%d bytes; want 15", got)
	}
}

// A connection that nobody has any more is collected, which closes it.
func TestCountedKeepsNoConnectionAlive(t *testing.T) {
	l := listenCounted(t)
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	func() {
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
	}()
	ended := make(chan error, 1)
	go func() {
		_, err := near.Read(make([]byte, 1))
		ended <- err
	}()
	await.Until(t, "the connection is closed", func() bool {
		runtime.GC()
		return len(ended) > 0
	})
	if err := <-ended; err == nil {
		t.Error("it read something")
	}
	if got := l.Bytes(); got != 0 {
		t.Errorf("%d bytes", got)
	}
}

func TestCountedServesHTTP(t *testing.T) {
	l := listenCounted(t)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func() int64 {
		resp, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "hello" {
			t.Fatalf("%q, %v", b, err)
		}
		return l.Bytes()
	}
	first := get()
	if second := get(); first < 50 || second != 2*first {
		t.Errorf("%d bytes after one request, %d after two", first, second)
	}
}
