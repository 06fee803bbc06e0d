package rsocket

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// listenUnix listens at a path. Closing the listener removes the file, as
// package net does; one that a process left behind is removed here.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) || !stale(ctx, path) {
		return l, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return lc.Listen(ctx, "unix", path)
}

// stale reports whether path is a socket that no process listens at any more.
// Whatever else it finds, it leaves alone.
func stale(ctx context.Context, path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = nc.Close() // somebody answers
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
