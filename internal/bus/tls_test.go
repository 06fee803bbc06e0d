//go:debug x509usefallbackroots=1

package bus_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
)

// trusted has the known authority stand for those that the system trusts.
var trusted = sync.OnceFunc(func() { x509.SetFallbackRoots(certs.Known().Pool) })

// startTLS starts a server that wants TLS, and returns its address.
func startTLS(t *testing.T, cert *tls.Config) string {
	t.Helper()
	trusted()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, NoSystemAccount: true, TLSConfig: cert,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.Addr().String()
}

func TestTLS(t *testing.T) {
	address := startTLS(t, certs.Server())
	asked, told := open(t, "tls://"+address), open(t, "nats://"+address)
	a, b := hear(t, asked, "a"), hear(t, told, "a")
	publish(t, asked, "a", "1")
	publish(t, told, "a", strings.Repeat("2", 60_000))
	for _, e := range []*ears{a, b} {
		e.want("a 1", "a "+strings.Repeat("2", 60_000))
	}
}

func TestTLSWithACertificateThatNobodyKnows(t *testing.T) {
	address := startTLS(t, &tls.Config{Certificates: []tls.Certificate{certs.New().Sign("stranger")}})
	for _, scheme := range []string{"tls://", "nats://"} {
		b := open(t, scheme+"u:hunter2@"+address)
		await.Until(t, "the certificate is refused", func() bool { return strings.Contains(b.Status().Reason, "certificate") })
		if s := b.Status(); s.Connections > 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestTLSThatTheServerDoesNotHave(t *testing.T) {
	plain := open(t, "embedded://127.0.0.1:0").Status().URL
	b := open(t, strings.Replace(plain, "nats", "tls", 1))
	await.Until(t, "a reason is given", func() bool { return strings.Contains(b.Status().Reason, "expected a server with TLS") })
	if s := b.Status(); s.Connections > 0 {
		t.Errorf("%+v", s)
	}
}
