package rsocket

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// canary is what buffers are filled with before a peer's bytes are read into
// them: if any of it is ever handed out, it could have been another's frame.
var canary = bytes.Repeat([]byte{0xC5}, 8)

// poison fills the buffers that are about to be taken from the pools.
func poison() {
	var taken [][]byte
	for range 4 {
		for _, size := range []int{smallBuffer, mediumBuffer} {
			b := getBuffer(size)
			for i := range b {
				b[i] = canary[0]
			}
			taken = append(taken, b)
		}
	}
	for _, b := range taken {
		putBuffer(b)
	}
}

// watched answers everything, and reports a canary that it is given.
func watched(t *testing.T) Handler {
	watch := func(p Payload) Payload {
		if bytes.Contains(p.Data, canary) || bytes.Contains(p.Metadata, canary) {
			t.Error("a handler was given bytes of no frame")
		}
		return p
	}
	h := echo()
	return Handler{
		Response:      func(ctx context.Context, p Payload) (Payload, error) { return h.Response(ctx, watch(p)) },
		FireAndForget: func(_ context.Context, p Payload) { watch(p) },
		Stream: func(ctx context.Context, p Payload, items Channel) error {
			for range 3 {
				if err := items.Send(ctx, watch(p)); err != nil {
					return err
				}
			}
			return nil
		},
		Channel:      h.Channel,
		MetadataPush: func(m []byte) { watch(Payload{Metadata: m}) },
	}
}

// small bounds everything tightly.
var small = Config{
	MaxFrame: 4096, Fragment: 64, MaxPayload: 8192, MaxReassembly: 1 << 14,
	MaxStreams: 8, Window: 4, MaxUnread: 1 << 14, MaxUnwritten: 1 << 14,
}

// expose connects c to a peer that sends in and then goes, and checks that
// nothing of a canary came back and that nothing is left of what was begun.
func expose(t *testing.T, c *Conn, theirs net.Conn, first, in []byte, ask bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	var out bytes.Buffer
	wg.Go(func() { _, _ = io.Copy(&out, theirs) })
	if ask {
		wg.Go(func() { _, _ = c.Call(ctx, text("call")) })
		for _, open := range []func(context.Context, Payload) (Channel, error){c.OpenStream, c.OpenChannel} {
			wg.Go(func() {
				ch, err := open(ctx, text("first"))
				if err != nil {
					return
				}
				_ = ch.Send(ctx, text("second"))
				for err == nil {
					_, err = ch.Recv(ctx)
				}
				ch.Cancel()
			})
		}
	}
	in = bytes.ReplaceAll(in, canary[:1], []byte{canary[0] - 1}) // what is handed out is not the peer's own
	_ = theirs.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, _ = theirs.Write(first)
	_, _ = theirs.Write(in)
	_ = theirs.Close()
	c.Close()
	cancel()
	wg.Wait()
	if bytes.Contains(out.Bytes(), canary) {
		t.Error("the peer was given bytes of no frame")
	}
	for name, n := range map[string]int64{
		"places": c.places.Load(), "requests in": c.inbound.Load(), "requests out": c.outbound.Load(),
		"unread bytes": c.unread.Load(), "waiting": c.turn.waiting.Load(),
		"unfinished payloads": int64(c.parts.count.Load()), "their bytes": int64(c.parts.bytes),
	} {
		if n != 0 {
			t.Errorf("%s: %d are left", name, n)
		}
	}
}

// exposed is a connection with tight bounds and its peer's end.
func exposed(t *testing.T, client bool) (*Conn, net.Conn) {
	t.Helper()
	poison()
	ours, theirs := net.Pipe()
	if client {
		c, err := Client(ours, Setup{}, watched(t), small)
		if err != nil {
			t.Fatal(err)
		}
		return c, theirs
	}
	s, err := NewServer(answering(watched(t)), small)
	if err != nil {
		t.Fatal(err)
	}
	return s.handle(ours), theirs
}

// prefixed is a frame as a stream carries it.
func prefixed(f []byte) []byte { return withPrefix(append(make([]byte, prefixSize), f...)) }

// FuzzServer feeds a server arbitrary bytes behind a valid SETUP.
func FuzzServer(f *testing.F) {
	f.Add([]byte{})
	f.Add(frame.AppendRequest(nil, 1, frame.TypeRequestResponse, 0, []byte("m"), []byte("d")))
	f.Add(frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, []byte("d")))
	f.Add([]byte{0, 0, 6, 0, 0, 0, 0, 0x28, 0})
	f.Add([]byte{0, 0, 9, 0, 0, 0, 1, 0x11, 0, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, in []byte) {
		c, theirs := exposed(t, false)
		expose(t, c, theirs, prefixed(setupFrame()), in, false)
	})
}

// FuzzFrames sends valid frames of all types, in arbitrary order and with
// arbitrary flags, on few streams, to a server and to a client that has requests
// of its own under way. Four bytes of input make a frame.
func FuzzFrames(f *testing.F) {
	f.Add(false, []byte{4, 1, 0, 9, 10, 1, 1, 3})
	f.Add(true, []byte{10, 1, 3, 5, 8, 3, 0, 1, 9, 5, 0, 0})
	f.Add(false, []byte{7, 1, 4, 3, 10, 1, 5, 200, 10, 1, 3, 200, 7, 1, 0, 0, 9, 1, 0, 0})
	f.Fuzz(func(t *testing.T, client bool, in []byte) {
		c, theirs := exposed(t, client)
		var frames []byte
		for ; len(in) >= 4 && len(frames) < 1<<16; in = in[4:] {
			frames = append(frames, prefixed(arbitrary(in[0], in[1], in[2], in[3]))...)
		}
		var first []byte
		if !client {
			first = prefixed(setupFrame())
		}
		expose(t, c, theirs, first, frames, client)
	})
}

// arbitrary is a valid frame of some type.
func arbitrary(kind, stream, flag, size byte) []byte {
	id := uint32(stream % 10)
	data := bytes.Repeat([]byte{'a' + size%26}, int(size)*4)
	var metadata []byte
	if flag&1 != 0 {
		metadata = data[:len(data)/2]
	}
	var flags frame.Flags
	for i, f := range []frame.Flags{frame.FlagNext, frame.FlagFollows, frame.FlagComplete, frame.FlagIgnore} {
		if flag&(2<<i) != 0 {
			flags |= f
		}
	}
	n := uint32(size)<<(flag%24) | 1
	switch kind % 16 {
	case 0, 1, 2:
		return frame.AppendPayload(nil, id, flags, metadata, data)
	case 3:
		return frame.AppendKeepAlive(nil, flag&2 != 0, 0, data)
	case 4:
		return frame.AppendRequest(nil, id, frame.TypeRequestResponse, flags, metadata, data)
	case 5:
		return frame.AppendRequest(nil, id, frame.TypeRequestFNF, flags, metadata, data)
	case 6:
		return frame.AppendRequestMany(nil, id, frame.TypeRequestStream, flags, n, metadata, data)
	case 7:
		return frame.AppendRequestMany(nil, id, frame.TypeRequestChannel, flags, n, metadata, data)
	case 8:
		return frame.AppendRequestN(nil, id, n)
	case 9:
		return frame.AppendCancel(nil, id)
	case 10:
		return frame.AppendError(nil, id, frame.ErrorCode(0x200|uint32(flag)), "e")
	case 11:
		return frame.AppendMetadataPush(nil, data)
	case 12:
		return frame.AppendLease(nil, n, n)
	case 13:
		return setupFrame()
	case 14:
		return frame.AppendResumeOK(nil, uint64(n))
	}
	return frame.AppendError(nil, 0, frame.ErrorCode(0x100|uint32(flag)), "e")
}
