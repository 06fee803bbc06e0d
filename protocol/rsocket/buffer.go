package rsocket

import "sync"

// Buffers for the socket, in four sizes. A buffer belongs to whoever got it
// until it is put back, and nothing that outlives that may point into it: what
// the application receives is copied out, what it sends is copied in (but for
// large data, see aside). So a
// connection on which nothing happens holds none.
const (
	smallBuffer  = 4 << 10
	mediumBuffer = 64 << 10 // what a busy connection reads at once
	largeBuffer  = 256 << 10
	hugeBuffer   = 1 << 20
)

var (
	smallBuffers  = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	mediumBuffers = sync.Pool{New: func() any { return new([mediumBuffer]byte) }}
	largeBuffers  = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	hugeBuffers   = sync.Pool{New: func() any { return new([hugeBuffer]byte) }}
)

// getBuffer returns a buffer of at least size bytes, its length its capacity.
func getBuffer(size int) []byte {
	switch {
	case size <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case size <= mediumBuffer:
		return mediumBuffers.Get().(*[mediumBuffer]byte)[:]
	case size <= largeBuffer:
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	case size <= hugeBuffer:
		return hugeBuffers.Get().(*[hugeBuffer]byte)[:]
	}
	return make([]byte, size)
}

// putBuffer gives a buffer back; one of no class goes to the collector.
func putBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case mediumBuffer:
		mediumBuffers.Put((*[mediumBuffer]byte)(b[:mediumBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	case hugeBuffer:
		hugeBuffers.Put((*[hugeBuffer]byte)(b[:hugeBuffer]))
	}
}
