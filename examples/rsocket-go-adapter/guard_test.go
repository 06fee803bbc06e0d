package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"warmline.dev/protocol/rsocket/frame"
)

func TestGuard(t *testing.T) {
	metadata, data := []byte("metadata"), []byte("data")
	reply := frame.AppendPayload(nil, 1, frame.FlagNext, metadata, data)
	device := frame.AppendRequest(nil, 2, frame.TypeRequestResponse, 0, metadata, data)
	for name, c := range map[string]struct {
		frames [][]byte
		passed int // of them, the first ones
		err    string
	}{
		"good frames": {frames: [][]byte{
			reply, device, frame.AppendPayload(nil, 1, frame.FlagComplete, nil, nil),
			frame.AppendRequestMany(nil, 2, frame.TypeRequestChannel, 0, 1, metadata, nil),
			frame.AppendError(nil, 0, frame.CodeRejectedSetup, "no"), frame.AppendError(nil, 1, frame.CodeInvalid, "no"),
			frame.AppendCancel(nil, 2), frame.AppendKeepAlive(nil, true, 0, nil), frame.AppendMetadataPush(nil, metadata),
		}, passed: 9},
		"legal ones that rsocket-go does not survive": {frames: [][]byte{
			reply, frame.AppendCancel(nil, 1), frame.AppendError(nil, 2, frame.CodeApplication, "no"),
		}, passed: 1},
		"a reply's false length":    {[][]byte{device, edited(reply, 6, 0xFF)}, 1, "stream 1: the metadata runs past"},
		"a request's false length":  {[][]byte{reply, edited(device, 8, byte(len(metadata)+len(data)+1))}, 1, "stream 2: the metadata runs past"},
		"metadata without a length": {[][]byte{reply[:8]}, 0, "stream 1: the metadata runs past"},
		"a frame without a header":  {[][]byte{reply, {0, 0, 0, 1}}, 1, "a frame of 4 bytes"},
		"a long frame":              {[][]byte{reply, make([]byte, maxFrame+1)}, 1, "a frame of 4194305 bytes"},
	} {
		var in, want []byte
		for i, f := range c.frames {
			n := len(f)
			f = append([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, f...)
			in = append(in, f...)
			if i < c.passed {
				want = append(want, f...)
			}
		}
		asked := make(chan struct{})
		close(asked)
		got, err := io.ReadAll(guard(wire{in: bytes.NewReader(in)}, asked))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got % X, want % X", name, got, want)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%s: got %v, want %q", name, err, c.err)
		}
	}
}

func edited(frame []byte, at int, to byte) []byte {
	frame = bytes.Clone(frame)
	frame[at] = to
	return frame
}

// wire is a connection on which everything has arrived.
type wire struct {
	net.Conn
	in io.Reader
}

func (w wire) Read(p []byte) (int, error) { return w.in.Read(p) }
