package rsocket

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"warmline.dev/internal/certs"
)

func TestAddresses(t *testing.T) {
	long := strings.Repeat("x", 200)
	for address, want := range map[string]string{
		"tcp://127.0.0.1:7070":              "",
		"tcp://[::1]:0":                     "",
		"TCP://localhost:7070/":             "",
		"tls://edge.example.org:7071":       "",
		"unix:///run/warmline/edge.sock":    "",
		"unix:/run/warmline/edge.sock":      "",
		"ws://edge.example.org":             "",
		"ws://127.0.0.1:8080/a/b?token=123": "",
		"wss://[::1]/rsocket":               "",

		"":                       "expected tcp://HOST:PORT, tls://HOST:PORT, unix:///PATH, ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]",
		"127.0.0.1:7070":         "expected tcp://HOST:PORT, tls://HOST:PORT",
		"http://127.0.0.1:7070":  "expected tcp://HOST:PORT, tls://HOST:PORT",
		"tcp":                    "expected tcp://HOST:PORT, for example tcp://127.0.0.1:7070",
		"tcp://127.0.0.1":        "expected tcp://HOST:PORT, for example tcp://127.0.0.1:7070",
		"tcp://:7070":            "expected tcp://HOST:PORT, for",
		"tcp://h:99999":          "expected tcp://HOST:PORT, for",
		"tcp://h:http":           "expected tcp://HOST:PORT, for",
		"tcp://u:p@h:1":          "expected tcp://HOST:PORT, for",
		"tcp://h:1/path":         "expected tcp://HOST:PORT, for",
		"tcp://h:1?q":            "expected tcp://HOST:PORT, for",
		"tcp:h:1":                "expected tcp://HOST:PORT, for",
		"tls://h":                "expected tls://HOST:PORT, for example tls://127.0.0.1:7071",
		"ws:///path":             "expected ws://HOST[:PORT][/PATH], for example ws://127.0.0.1:7072/rsocket",
		"ws://u@h":               "expected ws://HOST[:PORT][/PATH], for",
		"ws://h/#part":           "expected ws://HOST[:PORT][/PATH], for",
		"wss://:443":             "expected wss://HOST[:PORT][/PATH], for example wss://127.0.0.1:7073/rsocket",
		"unix:edge.sock":         "expected unix:///PATH, for example unix:///run/warmline/edge.sock",
		"unix://run/edge.sock":   "expected unix:///PATH, for",
		"unix:///":               "expected unix:///PATH, for",
		"unix:///" + long:        "a path of 201 bytes, expected at most 107",
		"tcp://127.0.0.1:7070\n": "expected tcp://HOST:PORT, for",
	} {
		err := CheckAddress(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "rsocket: address ") {
				t.Errorf("%q: %v does not say what it is about", address, err)
			}
			if _, dialErr := Dial(t.Context(), address, Setup{}, Handler{}, Config{}); dialErr == nil || dialErr.Error() != err.Error() {
				t.Errorf("%q: Dial says %v, CheckAddress %v", address, dialErr, err)
			}
		}
	}
}

func TestDefaultsOfAddresses(t *testing.T) {
	for address, want := range map[string][3]string{
		"ws://h":              {"tcp", "h:80", "ws://h/"},
		"wss://h/p?q=1":       {"tcp", "h:443", "wss://h/p?q=1"},
		"ws://[::1]:81":       {"tcp", "[::1]:81", "ws://[::1]:81/"},
		"tls://h:1":           {"tcp", "h:1", "tls://h:1"},
		"unix:///with%20gaps": {"unix", "/with gaps", "unix:///with%20gaps"},
	} {
		a, err := parseAddress(address)
		if got := [3]string{a.network, a.host, a.url.String()}; err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
}

func TestListenersRefuseWhatIsNotTheirs(t *testing.T) {
	plain := func(ctx context.Context, a string) (net.Listener, error) { return Listen(ctx, a) }
	secure := func(ctx context.Context, a string) (net.Listener, error) { return ListenTLS(ctx, a, certs.Server()) }
	bare := func(ctx context.Context, a string) (net.Listener, error) { return ListenTLS(ctx, a, nil) }
	for _, tt := range []struct {
		listen        func(context.Context, string) (net.Listener, error)
		address, want string
	}{
		{plain, "tls://127.0.0.1:0", "tls takes a certificate: use ListenTLS"},
		{plain, "wss://127.0.0.1:0", "wss takes a certificate: use ListenTLS"},
		{plain, "ws://127.0.0.1", "to listen, expected ws://HOST:PORT[/PATH], for example ws://127.0.0.1:7072/rsocket"},
		{plain, "ws://127.0.0.1:0/?q", "to listen, expected ws://"},
		{plain, "unix:///no/such/directory/s", "no such file"},
		{secure, "tcp://127.0.0.1:0", "tcp goes without TLS: use Listen, or a tls or wss address"},
		{secure, "ws://127.0.0.1:0", "ws goes without TLS"},
		{secure, "unix:///tmp/s", "unix goes without TLS"},
		{secure, "wss://127.0.0.1", "to listen, expected wss://HOST:PORT[/PATH]"},
		{secure, "here", "expected tcp://HOST:PORT, tls://HOST:PORT"},
		{bare, "tls://127.0.0.1:0", "expected a tls.Config with a certificate"},
	} {
		l, err := tt.listen(t.Context(), tt.address)
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.address, err, tt.want)
		}
	}
}

func TestUnixSocketFiles(t *testing.T) {
	path := socketPath(t)
	address := "unix://" + path
	exists := func() bool { _, err := os.Lstat(path); return err == nil }

	first, err := Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("where somebody listens: %v", err)
	}
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("who listened listens no more: %v", err)
	}
	nc.Close()
	first.Close()
	if exists() {
		t.Error("the file is there after Close")
	}

	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false) // as after a crash
	left.Close()
	if !exists() {
		t.Fatal("no file is left behind")
	}
	second, err := Listen(t.Context(), address)
	if err != nil {
		t.Fatalf("where a file was left behind: %v", err)
	}
	second.Close()

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("where a file is that is no socket: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("it was touched: %q, %v", b, err)
	}
}
