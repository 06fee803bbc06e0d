package rsocket

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
)

// mutual asks clients for a certificate of the known authority.
func mutual() *tls.Config {
	cfg := certs.Server()
	cfg.ClientCAs, cfg.ClientAuth = certs.Known().Pool, tls.RequireAndVerifyClientCert
	return cfg
}

func TestAcceptorSeesWhoTheClientIs(t *testing.T) {
	for _, address := range []string{"tls://127.0.0.1:0", "wss://127.0.0.1:0"} {
		l, addr := listenTLS(t, address, mutual())
		names := make(chan string, 1)
		serveAt(t, l, func(_ context.Context, c *Conn) (Handler, error) {
			names <- c.TLS().PeerCertificates[0].Subject.CommonName
			return echo(), nil
		}, Config{})
		cfg := certs.Client()
		cfg.Certificates = []tls.Certificate{certs.Known().Sign("alice")}
		c := dial(t, addr, Handler{}, Config{TLS: cfg})
		if name := await.Value(t, "the acceptor", names); name != "alice" {
			t.Errorf("%s: the client is %q", address, name)
		}
		if _, err := c.Call(t.Context(), text("?")); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if state := c.TLS(); state == nil || state.Version < tls.VersionTLS12 || state.PeerCertificates[0].Subject.CommonName != "server" {
			t.Errorf("%s: the client sees %+v", address, state)
		}
	}
}

func TestPlainConnectionsHaveNoTLSState(t *testing.T) {
	for _, scheme := range []string{"tcp", "unix", "ws"} {
		l, addr := listen(t, scheme)
		serveAt(t, l, answering(echo()), Config{})
		if state := dial(t, addr, Handler{}, Config{}).TLS(); state != nil {
			t.Errorf("%s: %+v", scheme, state)
		}
	}
}

func TestClientWithoutTheRightCertificateIsRefused(t *testing.T) {
	for _, address := range []string{"tls://127.0.0.1:0", "wss://127.0.0.1:0"} {
		l, addr := listenTLS(t, address, mutual())
		serveAt(t, l, func(context.Context, *Conn) (Handler, error) {
			t.Error("the acceptor was asked")
			return Handler{}, nil
		}, Config{})
		for name, shown := range map[string][]tls.Certificate{
			"certificate required":          nil,
			"unknown certificate authority": {certs.New().Sign("mallory")},
		} {
			cfg := certs.Client()
			cfg.Certificates = shown
			c, err := Dial(t.Context(), addr, Setup{}, Handler{}, Config{TLS: cfg})
			if err == nil { // TLS 1.3: the server's word comes later
				_, err = c.Call(t.Context(), text("?"))
				c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), name) && !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v, want %q", address, err, name)
			}
		}
	}
}

func TestServerWithoutTheRightCertificateIsRefused(t *testing.T) {
	for _, scheme := range []string{"tls", "wss"} {
		l, addr := listen(t, scheme)
		serveAt(t, l, answering(echo()), Config{})
		other := &tls.Config{RootCAs: certs.New().Pool}
		elsewhere := certs.Client()
		elsewhere.ServerName = "elsewhere.example.org"
		for _, tt := range []struct {
			cfg  *tls.Config
			want string
		}{
			{other, "signed by unknown authority"},
			{nil, "signed by unknown authority"}, // the system's roots
			{elsewhere, "elsewhere.example.org"},
		} {
			_, err := Dial(t.Context(), addr, Setup{}, Handler{}, Config{TLS: tt.cfg})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), addr) {
				t.Errorf("%v, want %q of %s", err, tt.want, addr)
			}
		}
	}
}

func TestTLSMeetsPlain(t *testing.T) {
	quick := Config{FirstFrameTimeout: 200 * time.Millisecond}
	t.Run("plain client, TLS server", func(t *testing.T) {
		l, addr := listen(t, "tls")
		serveAt(t, l, answering(echo()), Config{})
		c := dial(t, strings.Replace(addr, "tls", "tcp", 1), Handler{}, Config{})
		if _, err := c.Call(t.Context(), text("?")); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ws client, wss server", func(t *testing.T) {
		l, addr := listen(t, "wss")
		serveAt(t, l, answering(echo()), Config{})
		_, err := Dial(t.Context(), strings.Replace(addr, "wss", "ws", 1), Setup{}, Handler{}, Config{})
		if err == nil || !strings.Contains(err.Error(), "HTTP request to an HTTPS server") {
			t.Errorf("got %v", err)
		}
	})
	for _, scheme := range []string{"tcp", "ws"} {
		t.Run("TLS client, "+scheme+" server", func(t *testing.T) {
			l, addr := listen(t, scheme)
			serveAt(t, l, answering(echo()), quick)
			addr = strings.Replace(strings.Replace(addr, "tcp", "tls", 1), "ws:", "wss:", 1)
			_, err := Dial(t.Context(), addr, Setup{}, Handler{}, Config{TLS: certs.Client()})
			if err == nil || !strings.Contains(err.Error(), "the server goes without TLS") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Who connects and says nothing, or half a word, is disconnected in time and
// keeps nobody else from being accepted.
func TestSlowHandshakesAreBounded(t *testing.T) {
	hello := []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	for scheme, half := range map[string][]byte{"tls": hello, "wss": hello, "ws": []byte("GET /rsocket HTTP/1.1\r\nHost: x\r\nUpgrade: webs")} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			l, addr := listen(t, scheme)
			serveAt(t, l, answering(echo()), Config{FirstFrameTimeout: 2 * time.Second})
			check := neighbour(t, addr)
			var slow []net.Conn
			for _, said := range [][]byte{nil, half} {
				nc, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				if _, err := nc.Write(said); err != nil {
					t.Fatal(err)
				}
				slow = append(slow, nc)
			}
			check()
			neighbour(t, addr) // who comes later is answered too
			for i, nc := range slow {
				_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
				if _, err := io.Copy(io.Discard, nc); isTimeout(err) {
					t.Errorf("the one that said %q is still connected", [][]byte{nil, half}[i])
				}
			}
			check()
		})
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func TestServerEndsInTheMiddleOfHandshakes(t *testing.T) {
	for _, scheme := range []string{"tls", "wss", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			l, _ := listen(t, scheme)
			s, err := NewServer(answering(echo()), Config{})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if scheme == "tls" { // the others are not the server's yet
				await.Until(t, "it is accepted", func() bool { return len(s.Conns()) == 1 })
				s.Conns()[0].Fail(0x101, "written before the handshake is done") // must not break it
			}
			if err := s.Shutdown(await.Context(t)); err != nil {
				t.Error(err)
			}
			if err := await.Value(t, "Serve", ended); !errors.Is(err, ErrServerClosed) {
				t.Errorf("Serve returned %v", err)
			}
			_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, nc); isTimeout(err) {
				t.Error("it is still connected")
			}
		})
	}
}

func TestDialIsBoundByItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, scheme := range []string{"tls", "ws", "wss"} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			nc, err := silent.Accept()
			if err != nil {
				return
			}
			_, _ = nc.Read(make([]byte, 1)) // the client has begun
			cancel()
			_, _ = io.Copy(io.Discard, nc)
			nc.Close()
		}()
		_, err := Dial(ctx, scheme+"://"+silent.Addr().String(), Setup{}, Handler{}, Config{TLS: certs.Client()})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", scheme, err)
		}
		cancel()
	}
}
