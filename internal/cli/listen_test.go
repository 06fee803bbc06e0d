package cli

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warmline.dev/protocol/rsocket"
)

func TestListenReturnsWhatToDial(t *testing.T) {
	dir, err := os.MkdirTemp("", "cli") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for address, want := range map[string]string{
		"tcp://127.0.0.1:0":                    "tcp://127.0.0.1:PORT",
		"ws://127.0.0.1:0":                     "ws://127.0.0.1:PORT",
		"ws://127.0.0.1:0/lines":               "ws://127.0.0.1:PORT/lines",
		"unix://" + filepath.Join(dir, "sock"): "unix://" + filepath.Join(dir, "sock"),
	} {
		l, got, err := listen(t.Context(), address, proof{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		u, err := url.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(got, ":"+u.Port(), ":PORT") != want && got != want || strings.HasSuffix(u.Host, ":0") {
			t.Errorf("%s became %s, want %s", address, got, want)
		}
		if err := rsocket.CheckAddress(got); err != nil {
			t.Error(err)
		}
	}
}

func TestListenSaysWhatIsPossible(t *testing.T) {
	for address, want := range map[string]string{
		"tls://127.0.0.1:0": "there is no certificate to show: give --tls-cert and --tls-key, or listen at tcp://HOST:PORT, unix:///PATH or ws://HOST:PORT[/PATH]",
		"wss://127.0.0.1:0": "there is no certificate to show",
		"ws://127.0.0.1":    "to listen, expected ws://HOST:PORT[/PATH]",
		"here":              "expected tcp://HOST:PORT",
	} {
		l, _, err := listen(t.Context(), address, proof{})
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
