package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/credentials"
)

// A warmline dev that runs leaves what tools of the same user need in a folder, by the
// address that they dial: whose certificates to trust, and a token. They are good for
// nothing when it has ended.
const (
	devCA    = "ca.pem"
	devToken = "token"
)

// devFolder is the folder of an address on this machine.
func devFolder(at *url.URL) (string, error) {
	base := os.Getenv("XDG_RUNTIME_DIR") // gone after a restart, where there is one
	if base == "" {
		var err error
		if base, err = os.UserCacheDir(); err != nil {
			return "", fmt.Errorf("no folder for the credentials of tools: %w", err)
		}
	}
	name := strings.NewReplacer(":", "-", "[", "", "]", "", "%", "-", "/", "-").Replace(at.Host + at.Path)
	return filepath.Join(base, "warmline", "dev", name), nil
}

// leaveForTools writes what tools need for an address, for this user alone, and returns
// where, and what removes it.
func leaveForTools(at *url.URL, ca []byte, token string) (folder string, remove func(), err error) {
	if folder, err = devFolder(at); err != nil {
		return "", nil, err
	}
	if err := os.RemoveAll(folder); err != nil { // of one that was killed
		return "", nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // what is in it is of no use to anybody
	for name, text := range map[string][]byte{devCA: ca, devToken: []byte(token + "\n")} {
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, err = f.Write(text)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			remove()
			return "", nil, err
		}
	}
	return folder, remove, nil
}

// leftForTools is what a warmline dev has left for an address, nothing if there is none.
// An address that was not asked for, but is where an edge is by default, becomes that of
// dev's TLS if dev is there; if it is not, what it has left is not looked at.
func leftForTools(ctx context.Context, address string, byDefault bool) (credentials.Files, string) {
	u, err := url.Parse(address)
	if err != nil || !isLocal(u) {
		return credentials.Files{}, address
	}
	folder, err := devFolder(u)
	if err != nil {
		return credentials.Files{}, address
	}
	files := credentials.Files{CA: filepath.Join(folder, devCA), Token: filepath.Join(folder, devToken)}
	if _, err := os.Stat(files.Token); errors.Is(err, fs.ErrNotExist) {
		return credentials.Files{}, address
	}
	if byDefault && u.Scheme == "tcp" {
		c, err := credentials.Open(credentials.Files{CA: files.CA}, zerolog.Nop())
		if err != nil || !speaksTLS(ctx, u.Host, c.Client()) {
			return credentials.Files{}, address
		}
		address = "tls://" + u.Host
	}
	return files, address
}

// speaksTLS reports whether who listens there shows a certificate that is trusted.
func speaksTLS(ctx context.Context, address string, cfg *tls.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	d := tls.Dialer{NetDialer: &net.Dialer{}, Config: cfg}
	nc, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = nc.Close() // nothing was said
	return true
}
