//go:build !unix

package link

import "time"

type (
	reading struct{}
	writing struct{}
)

func (*socket) prepare() {}

// read waits for bytes, which are the caller's. How long they have waited for being
// read is not known here. At their end the error is io.EOF.
func (s *socket) read() (b *buffer, waited time.Duration, err error) {
	b = newBuffer()
	n, err := s.tcp.Read(b.space)
	if n == 0 {
		b.free()
		return nil, 0, err
	}
	return b.fitted(n), 0, nil
}

// tryWrite leaves it to a goroutine that may wait.
func (*socket) tryWrite([]byte) (n int, err error) { return 0, nil }
