package rsocket

import (
	"io"
	"strings"
	"testing"

	"warmline.dev/protocol/rsocket/frame"
)

func TestAnnouncedLengthReservesNoMemory(t *testing.T) {
	r := reader{src: strings.NewReader("\xff\xff\xff short"), maxFrame: frame.MaxSize}
	if _, err := r.next(); err != io.ErrUnexpectedEOF {
		t.Fatalf("got %v", err)
	}
	if len(r.buf) > smallBuffer {
		t.Errorf("16 MiB announced, 6 bytes sent: a buffer of %d bytes", len(r.buf))
	}
}

func TestReaderCutsFramesHoweverTheyArrive(t *testing.T) {
	var in []byte
	var want []int
	for _, n := range []int{6, 7, 5000, 6, 200_000, 6, 70_000, 9} {
		want = append(want, n)
		in = append(append(in, byte(n>>16), byte(n>>8), byte(n)), make([]byte, n)...)
	}
	for _, chunk := range []int{1, 3, 1000, 1 << 20} {
		r := reader{src: &chunked{b: in, n: chunk}, maxFrame: frame.MaxSize}
		for _, n := range want {
			b, err := r.next()
			if err != nil || len(b) != n || cap(b) != n {
				t.Fatalf("chunks of %d: frame of %d (cap %d), %v, want %d", chunk, len(b), cap(b), err, n)
			}
		}
		if _, err := r.next(); err != io.EOF {
			t.Errorf("chunks of %d: end: %v", chunk, err)
		}
		if len(r.buf) > mediumBuffer {
			t.Errorf("chunks of %d: kept a buffer of %d bytes", chunk, len(r.buf))
		}
	}
}

type chunked struct {
	b []byte
	n int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(c.n, len(c.b))])
	c.b = c.b[n:]
	return n, nil
}
