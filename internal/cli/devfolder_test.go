package cli

import (
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/internal/certs"
	"warmline.dev/internal/credentials"
	"warmline.dev/protocol/rsocket"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsLeftIsForThisUserAlone(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	d := newDevProofs()
	folder := d.leave(&url.URL{Scheme: "tls", Host: "127.0.0.1:7070"}, zerolog.Nop())
	if folder != d.leave(&url.URL{Scheme: "tls", Host: "127.0.0.1:7070"}, zerolog.Nop()) { // one that was killed is replaced
		t.Error(folder)
	}
	files := 0
	err := filepath.WalkDir(os.Getenv("XDG_RUNTIME_DIR"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == os.Getenv("XDG_RUNTIME_DIR") {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		if !e.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files != 2 {
		t.Error(err, files)
	}
	d.forget()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestWhatIsLeftForTools(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	listening := func(address string, p proof) (net.Listener, *url.URL) {
		l, at, err := listen(t.Context(), address, p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = nc.Read(make([]byte, 1)) // the handshake
				nc.Close()
			}
		}()
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		return l, u
	}
	d := newDevProofs()
	p, err := d.of()
	if err != nil {
		t.Fatal(err)
	}
	_, dev := listening("tls://127.0.0.1:0", p)
	_, plain := listening("tcp://127.0.0.1:0", proof{})
	_, other := listening("tls://127.0.0.1:0", proof{server: certs.Server()})
	if files, at := leftForTools(t.Context(), "tcp://"+dev.Host, true); files != (credentials.Files{}) || at != "tcp://"+dev.Host {
		t.Error("there is nothing yet", files, at)
	}
	for _, u := range []*url.URL{dev, plain, other} {
		d.leave(u, zerolog.Nop())
	}
	defer d.forget()
	for _, tt := range []struct {
		address   string
		byDefault bool
		found     bool
		want      string
	}{
		{"tcp://" + dev.Host, true, true, "tls://" + dev.Host},
		{"tls://" + dev.Host, false, true, "tls://" + dev.Host},
		{"tcp://" + dev.Host, false, true, "tcp://" + dev.Host}, // as it was asked for
		// Left by one that was killed, and somebody else is there now.
		{"tcp://" + plain.Host, true, false, "tcp://" + plain.Host},
		{"tcp://" + other.Host, true, false, "tcp://" + other.Host},
		{"tcp://127.0.0.1:1", true, false, "tcp://127.0.0.1:1"},
		{"tls://192.0.2.1:7070", false, false, "tls://192.0.2.1:7070"},
		{"nonsense", true, false, "nonsense"},
	} {
		files, at := leftForTools(t.Context(), tt.address, tt.byDefault)
		if at != tt.want || (files != credentials.Files{}) != tt.found {
			t.Errorf("%+v: %v, %s", tt, files, at)
		}
	}
	// It opens dev's door.
	files, at := leftForTools(t.Context(), "tcp://"+dev.Host, true)
	_, tool, err := openCredentials(files, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := rsocket.Connect(t.Context(), at, rsocket.Config{TLS: tool.node.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if peer, refusal := p.known.IdentifyRequest(tool.node.Token(), nil); refusal != nil || peer.Name != "tools" {
		t.Error(peer, refusal)
	}
}
