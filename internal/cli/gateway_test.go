package cli

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// pipe is a listener that one connection comes to.
type pipe struct {
	net.Conn
	closed chan struct{}
	conns  chan net.Conn
}

func (p pipe) Accept() (net.Conn, error) {
	select {
	case nc := <-p.conns:
		return nc, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipe) Close() error   { close(p.closed); return nil }
func (p pipe) Addr() net.Addr { return p.LocalAddr() }

// A device that does not take its answer holds neither that nor a connection for ever.
func TestADeviceThatDoesNotReadIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, near := net.Pipe()
		defer device.Close()
		l := pipe{near, make(chan struct{}), make(chan net.Conn, 1)}
		l.conns <- near
		const budget = time.Minute
		var began, ended time.Time
		over := make(chan struct{})
		web := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer close(over)
			began = time.Now()
			time.Sleep(budget)
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 64<<10))
			}
			ended = time.Now()
		}), budget, zerolog.Nop())
		served := make(chan error, 1)
		go func() { served <- web.Serve(l) }()
		if _, err := io.WriteString(device, "GET /tv/home HTTP/1.1\r\nHost: gateway\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-over
		if took := ended.Sub(began); took < budget+30*time.Second || took > budget+time.Minute {
			t.Errorf("it was let go after %v", took)
		}
		_ = web.Close()
		<-served
	})
}
