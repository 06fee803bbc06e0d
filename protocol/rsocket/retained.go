package rsocket

import (
	"encoding/binary"
	"fmt"

	"warmline.dev/protocol/rsocket/frame"
)

// retained keeps the frames that were sent and that the peer may not have
// received, each behind its length, for replay on a new connection
// (specification, "Resuming Operation"). Positions count the bytes of frames
// without their length prefix. It is guarded by the writer's lock.
type retained struct {
	limit int
	first uint64 // position of the first frame kept
	next  uint64 // position behind the last
	buf   []byte
	head  int // buf[:head] is no longer needed
}

// add keeps a prefixed frame if it is of a type that counts.
func (k *retained) add(prefixed []byte) {
	f := prefixed[prefixSize:]
	if !frame.Resumable(binary.BigEndian.Uint32(f), frame.Type(f[4]>>2)) {
		return
	}
	if k.head > len(k.buf)/2 {
		k.buf = k.buf[:copy(k.buf, k.buf[k.head:])]
		k.head = 0
	}
	k.buf = append(k.buf, prefixed...)
	k.next += uint64(len(f))
}

func (k *retained) size() int { return len(k.buf) - k.head }

// pop drops the oldest frame.
func (k *retained) pop() {
	b := k.buf[k.head:]
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	k.head += prefixSize + n
	k.first += uint64(n)
	if k.head == len(k.buf) {
		k.head, k.buf = 0, nil
	}
}

// shrink drops the oldest frames beyond the limit: a peer that still needs them
// can't resume.
func (k *retained) shrink() {
	for k.size() > k.limit {
		k.pop()
	}
}

// received drops what the peer has.
func (k *retained) received(position uint64) error {
	if position < k.first || position > k.next {
		return fmt.Errorf("position %d is not kept: %d to %d are", position, k.first, k.next)
	}
	for k.first < position {
		k.pop()
	}
	if k.first != position {
		return fmt.Errorf("position %d is in the middle of a frame", position)
	}
	return nil
}

// all is what has to be sent again.
func (k *retained) all() []byte { return k.buf[k.head:] }
