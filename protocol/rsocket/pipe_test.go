package rsocket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeIsBufferedUpToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		if n, err := a.Write(make([]byte, pipeSize)); n != pipeSize || err != nil {
			t.Fatal(n, err)
		}
		_ = a.SetWriteDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if n, err := a.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("a full pipe took %d, %v after %v", n, err, time.Since(start))
		}
		_ = a.SetWriteDeadline(time.Time{})
		written := make(chan error)
		go func() { _, err := a.Write(bytes.Repeat([]byte("y"), 3*pipeSize)); written <- err }()
		got, err := io.ReadAll(io.LimitReader(b, 4*pipeSize))
		if len(got) != 4*pipeSize || err != nil || got[pipeSize] != 'y' {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
}

func TestPipeDeadlinesCanBeMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		_ = a.SetReadDeadline(time.Now().Add(time.Second))
		_ = a.SetReadDeadline(time.Now().Add(3 * time.Second))
		start := time.Now()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_ = a.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			_ = a.SetDeadline(time.Unix(1, 0)) // wakes whoever waits
		}()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		_ = a.SetDeadline(time.Time{})
		if _, err := b.Write([]byte("on")); err != nil {
			t.Error(err)
		}
		if n, err := a.Read(make([]byte, 9)); n != 2 || err != nil {
			t.Errorf("afterwards: %d, %v", n, err)
		}
	})
}

func TestPipeClosesByHalvesAndWhole(t *testing.T) {
	a, b := Pipe()
	_, _ = a.Write([]byte("last"))
	_ = a.(interface{ CloseWrite() error }).CloseWrite()
	if got, err := io.ReadAll(b); string(got) != "last" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.Write([]byte("back")); err != nil {
		t.Errorf("the other half: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the closed half: %v", err)
	}
	_ = a.Close()
	_ = a.Close()
	for name, err := range map[string]error{
		"own read": second(a.Read(make([]byte, 1))), "own deadline": a.SetDeadline(time.Now()), "peer's write": second(b.Write([]byte("x"))),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer's read: %v", err)
	}
	var _ net.Conn = b
	_ = b.Close()
}

func second(_ int, err error) error { return err }

// Time is the bubble's: keepalives of an hour cost none.
func TestConnectionOverAPipeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pushed := make(chan string, 1)
		_, connect := startInMemory(t, answering(Handler{MetadataPush: func(m []byte) { pushed <- string(m) }}), Config{})
		c, err := Client(connect(), Setup{KeepAlive: time.Second, Lifetime: 10 * time.Second}, Handler{}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := c.PushMetadata(t.Context(), []byte("still here")); err != nil {
			t.Fatal(err)
		}
		if got := <-pushed; got != "still here" {
			t.Errorf("got %q", got)
		}
		c.Close()
	})
}
