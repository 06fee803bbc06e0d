package source_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/edgelayer/source"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

// raw is a mid-tier service that does not keep to HTTP: what it does with each
// connection, once a request has come, is up to it.
func raw(t *testing.T, do func(nc net.Conn)) (url string, open *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open = &atomic.Int64{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			wg.Go(func() {
				defer open.Add(-1)
				defer nc.Close()
				if _, err := http.ReadRequest(bufio.NewReader(nc)); err == nil {
					do(nc)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return "http://" + l.Addr().String(), open
}

// endlessly says a text until the other side has gone.
func endlessly(nc net.Conn, text string) {
	for {
		if _, err := io.WriteString(nc, text); err != nil {
			return
		}
	}
}

// Whatever a source does instead of answering, a thousand callers are told so in
// time, and all that they held is let go.
func TestSourcesThatDoNotAnswer(t *testing.T) {
	const callers, most = 1000, 16
	const head = "HTTP/1.1 200 OK\r\n"
	for name, do := range map[string]func(nc net.Conn){
		"says nothing":         func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) },
		"hangs up":             func(net.Conn) {},
		"half closes":          func(nc net.Conn) { _ = nc.(*net.TCPConn).CloseWrite(); _, _ = io.Copy(io.Discard, nc) },
		"no HTTP":              func(nc net.Conn) { endlessly(nc, "220 mail ready\r\n") },
		"one line without end": func(nc net.Conn) { endlessly(nc, strings.Repeat("x", 4096)) },
		"headers without end": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head)
			endlessly(nc, "X-A: "+strings.Repeat("b", 1000)+"\r\n")
		},
		"patience without end": func(nc net.Conn) { endlessly(nc, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") },
		"another protocol": func(nc net.Conn) {
			_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
			endlessly(nc, "x")
		},
		"body without end": func(nc net.Conn) { _, _ = io.WriteString(nc, head+"\r\n"); endlessly(nc, strings.Repeat(" ", 4096)) },
		"body drop by drop": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"\r\n")
			for {
				time.Sleep(5 * time.Millisecond)
				if _, err := io.WriteString(nc, " "); err != nil {
					return
				}
			}
		},
		"less than it says": func(nc net.Conn) { _, _ = io.WriteString(nc, head+"Content-Length: 100\r\n\r\n{}") },
		"more than there is": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"Content-Length: 9223372036854775807\r\n\r\n{}")
			_, _ = io.Copy(io.Discard, nc)
		},
		"a chunk of all memory": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n")
			endlessly(nc, strings.Repeat(" ", 4096))
		},
		"chunks of one byte": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"Transfer-Encoding: chunked\r\n\r\n")
			endlessly(nc, strings.Repeat("1;"+strings.Repeat("x", 100)+"\r\n \r\n", 30))
		},
		"trailers without end": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\n")
			endlessly(nc, "X-A: "+strings.Repeat("b", 1000)+"\r\n")
		},
		"two lengths": func(nc net.Conn) {
			_, _ = io.WriteString(nc, head+"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, open := raw(t, do)
			s := newSource(t, source.Config{
				URLs: []string{url}, Timeout: 300 * time.Millisecond, MaxBody: 64 << 10, Limit: source.Limit{Most: most}, Breaker: noBreaker,
			})
			goroutines := runtime.NumGoroutine()
			var peak atomic.Int64
			var memory runtime.MemStats
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					var into any
					err := s.Get(t.Context(), "/x", nil, &into)
					switch e := protocol.AsError(err); {
					case err == nil:
						t.Error("it has answered")
					case e.Code != protocol.Overloaded && e.Code != protocol.DeadlineExceeded && e.Code != protocol.Unavailable:
						t.Error(err)
					}
					for n := open.Load(); n > peak.Load(); {
						peak.Store(n)
					}
				})
			}
			runtime.ReadMemStats(&memory)
			wg.Wait()
			s.Close()
			if n := peak.Load(); n > 4*most {
				t.Errorf("%d connections at once, for %d places", n, most)
			}
			if n := memory.HeapInuse >> 20; n > 64 {
				t.Errorf("%d MB are in use", n)
			}
			await.Until(t, "all connections to be closed", func() bool { return open.Load() == 0 })
			await.Until(t, fmt.Sprintf("goroutines to end (%d before)", goroutines), func() bool { return runtime.NumGoroutine() <= goroutines })
			if st := s.Stats(); st.InFlight != 0 || st.Requests == 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}
