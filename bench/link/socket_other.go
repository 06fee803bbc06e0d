//go:build !unix

package link

type (
	reading struct{}
	writing struct{}
)

func (*socket) prepare() {}

// read waits for bytes; they are the caller's. At their end the error is io.EOF.
func (s *socket) read() (*buffer, error) {
	b := newBuffer()
	n, err := s.tcp.Read(b.space)
	if n == 0 {
		b.free()
		return nil, err
	}
	return b.fitted(n), nil
}

// tryWrite leaves it to a goroutine that may wait.
func (*socket) tryWrite([]byte) (n int, err error) { return 0, nil }
