package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// maxFrame is the longest frame taken, in bytes: an edge sends messages of 1 MiB
// at most, and a few of them may travel in one payload.
const maxFrame = 4 << 20

// guarded passes on whole frames, and only those that rsocket-go survives.
// Another frame ends the connection with an error, or is left out if it may be.
type guarded struct {
	net.Conn
	asked <-chan struct{}
	in    *bufio.Reader
	rest  []byte // of the frame that is being handed out
}

// guard passes nothing on before asked is closed.
func guard(conn net.Conn, asked <-chan struct{}) net.Conn {
	return &guarded{Conn: conn, asked: asked, in: bufio.NewReader(conn)}
}

func (g *guarded) Read(p []byte) (int, error) {
	<-g.asked
	for len(g.rest) == 0 {
		frame, err := g.next()
		if err != nil {
			return 0, err
		}
		pass, err := check(frame[3:])
		if err != nil {
			return 0, err
		}
		if pass {
			g.rest = frame
		}
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// next reads one frame behind its length, which takes three bytes.
func (g *guarded) next() ([]byte, error) {
	prefix, err := g.in.Peek(3)
	if err != nil {
		return nil, err
	}
	n := int(prefix[0])<<16 | int(prefix[1])<<8 | int(prefix[2])
	if n < 6 || n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes, expected 6 to %d", n, maxFrame)
	}
	frame := make([]byte, 3+n)
	_, err = io.ReadFull(g.in, frame)
	return frame, err
}

// The frame types that matter here (RSocket 1.0, "Frame Types").
const (
	typeRequestResponse = 0x04
	typeRequestFNF      = 0x05
	typeRequestStream   = 0x06
	typeRequestChannel  = 0x07
	typeCancel          = 0x09
	typePayload         = 0x0A
	typeError           = 0x0B
	flagMetadata        = 0x100
)

// check looks at a frame's header: the stream's id (4 bytes; odd if this side
// opened it), the type (6 bits) and the flags (10 bits).
func check(frame []byte) (pass bool, err error) {
	id := binary.BigEndian.Uint32(frame)
	head := binary.BigEndian.Uint16(frame[4:])
	at := 6 // where metadata would begin, behind its length
	switch head >> 10 {
	case typeRequestResponse, typeRequestFNF, typePayload:
	case typeRequestStream, typeRequestChannel:
		at = 10
	case typeCancel:
		// The peer wants no more items on a channel that this side opened. That is
		// legal, and rsocket-go panics; the items it does not want do no harm.
		return id%2 == 0, nil
	case typeError:
		// Likewise the end of what the peer sends on a channel that it opened.
		return id == 0 || id%2 == 1, nil
	default:
		return true, nil
	}
	if head&flagMetadata == 0 {
		return true, nil
	}
	// rsocket-go believes this length, and a buffer of its pool may hold more than
	// the frame: the bytes of another one.
	if len(frame) >= at+3 {
		n := int(frame[at])<<16 | int(frame[at+1])<<8 | int(frame[at+2])
		if n <= len(frame)-at-3 {
			return true, nil
		}
	}
	return false, fmt.Errorf("stream %d: the metadata runs past the end of its frame", id)
}
