package rsocketgo

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/rsocket/rsocket-go/logger"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// frames makes frames of arbitrary bytes: most are well-formed and on streams
// that are there, in an order that nobody intended.
func frames(b []byte) []byte {
	var out []byte
	for len(b) >= 4 {
		kind, id, flags, n := frame.Type(b[0]%16), uint32(b[1]%12), frame.Flags(b[2])<<2, int(b[3]%32)
		b = b[4:]
		n = min(n, len(b))
		body := b[:n:n]
		b = b[n:]
		f := binary.BigEndian.AppendUint32(nil, id)
		f = binary.BigEndian.AppendUint16(f, uint16(kind)<<10|uint16(flags))
		switch kind {
		case frame.TypeRequestStream, frame.TypeRequestChannel, frame.TypeRequestN:
			f = binary.BigEndian.AppendUint32(f, uint32(n)+1)
		case frame.TypeError:
			f = binary.BigEndian.AppendUint32(f, uint32(frame.CodeApplication))
		}
		if flags&frame.FlagMetadata != 0 && (kind >= frame.TypeRequestResponse && kind <= frame.TypeRequestChannel || kind == frame.TypePayload) {
			f = append(f, 0, 0, byte(n/2))
		}
		if kind != frame.TypeRequestN && kind != frame.TypeCancel {
			f = append(f, body...)
		}
		out = append(append(out, 0, 0, byte(len(f))), f...)
	}
	return out
}

// FuzzPeer lets a peer say anything to both sides of a connection: nothing
// panics, in this package or in rsocket-go, and the connection can be closed.
func FuzzPeer(f *testing.F) {
	logger.SetLogger(nil) // rsocket-go warns of what it does not know
	f.Add([]byte{7, 1, 0, 1, 'a', 9, 1, 0, 0, 11, 1, 0, 1, 'x', 10, 1, 0x18, 1, 'y'}, true)
	f.Add([]byte{10, 1, 0x18, 1, 'a', 10, 1, 0x18, 1, 'b', 9, 3, 0, 0, 10, 5, 8, 1, 'c', 11, 5, 0, 0}, false)
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		near, far := rsocket.Pipe()
		defer func() { _ = far.Close() }()
		go func() { _, _ = io.Copy(io.Discard, far) }() // until far is closed
		conn, end := attacked(t, near, far, server)
		_ = far.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, _ = far.Write(frames(b)) // it may have had enough
		if conn != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			_, _ = conn.Call(ctx, rsocket.Payload{})
		}
		_ = far.Close() // otherwise who said why it ends waits for that to be read
		end()
	})
}

// attacked makes a connection with something of everything under way, of which
// far is the peer's end.
func attacked(t *testing.T, near, far net.Conn, server bool) (conn *Conn, end func()) {
	t.Helper()
	h := echo
	h.FireAndForget = func(context.Context, rsocket.Payload) {}
	h.MetadataPush = func([]byte) {}
	h.Stream = func(ctx context.Context, p rsocket.Payload, items rsocket.Channel) error { return items.Send(ctx, p) }
	h.Channel = func(ctx context.Context, ch rsocket.Channel) error {
		for {
			p, err := ch.Recv(ctx)
			if err == nil {
				err = ch.Send(ctx, p)
			}
			if err != nil {
				return err
			}
		}
	}
	cfg := rsocket.Config{Window: 4, MaxPayload: 100, MaxReassembly: 200, MaxStreams: 3}
	if server {
		s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return h, nil }, cfg)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() { defer close(served); s.ServeConn(near) }()
		b := setupFrame()
		_, _ = far.Write(append([]byte{0, 0, byte(len(b))}, b...)) // in memory
		return nil, func() { _ = s.Close(); <-served }
	}
	conn, err := Client(near, rsocket.Setup{}, h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.OpenChannel(t.Context(), rsocket.Payload{}) // 1
	_, _ = conn.OpenStream(t.Context(), rsocket.Payload{})  // 3
	go func() { _, _ = conn.Call(context.Background(), rsocket.Payload{}) }()
	return conn, func() { _ = conn.Close() }
}
