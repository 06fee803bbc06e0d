package bus

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
)

const (
	maxLine = 32 << 10 // INFO names the servers of a cluster

	// maxFrame is what a server may announce as a message. Others than Warmline may
	// use it, so it is more than MaxMessage.
	maxFrame = maxPendingBytes
)

// guard reads along with the client, which believes every size that a server
// announces: one line of 30 bytes makes it allocate what there is not, and that
// ends the process. It lets through what servers say and nothing else, so that it
// and the client can't be of two minds about where a line begins.
type guard struct {
	net.Conn

	again []byte // was let through already, and is to be read once more
	line  []byte // the beginning of a line
	skip  int    // bytes of a message that are still to come
	tail  bool   // and then the end of its line
}

// Read implements [net.Conn].
func (g *guard) Read(b []byte) (int, error) {
	if len(g.again) > 0 {
		n := copy(b, g.again)
		g.again = g.again[n:]
		return n, nil
	}
	n, err := g.Conn.Read(b)
	if wrong := g.pass(b[:n]); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// pass follows what is read.
func (g *guard) pass(b []byte) error {
	for len(b) > 0 {
		if g.skip > 0 {
			n := min(g.skip, len(b))
			g.skip, b = g.skip-n, b[n:]
			continue
		}
		end := bytes.IndexByte(b, '\n')
		whole := end >= 0
		if !whole {
			end = len(b)
		}
		if len(g.line)+end > maxLine {
			return fmt.Errorf("the server's line is too long: expected at most %d bytes", maxLine)
		}
		g.line = append(g.line, b[:end]...)
		if !whole {
			return nil
		}
		b = b[end+1:]
		var err error
		switch {
		case !g.tail:
			g.skip, g.tail, err = message(g.line)
		case string(g.line) == "\r":
			g.tail = false
		default:
			err = errors.New("expected the end of a message")
		}
		if err != nil {
			return fmt.Errorf("the server said %q: %w", clip(string(g.line)), err)
		}
		g.line = g.line[:0]
	}
	return nil
}

var errStrange = errors.New("expected what the NATS protocol says")

// message checks a line without its newline, and tells the size of the message
// behind it if it announces one.
func message(line []byte) (size int, ok bool, err error) {
	text, ended := bytes.CutSuffix(line, []byte("\r"))
	if !ended || bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return 0, false, errStrange
	}
	verb, rest, _ := bytes.Cut(text, []byte(" "))
	sizes := 1 // at the end of the line
	switch string(verb) {
	case "PING", "PONG", "+OK":
		if len(rest) > 0 {
			return 0, false, errStrange
		}
		return 0, false, nil
	case "-ERR", "INFO":
		if len(rest) == 0 || rest[0] == ' ' {
			return 0, false, errStrange
		}
		return 0, false, nil
	case "MSG":
	case "HMSG":
		sizes = 2 // of the header, and of all
	default:
		return 0, false, errStrange
	}
	words := bytes.Split(rest, []byte(" ")) // subject, subscription, perhaps where to reply, sizes
	if len(words) < 2+sizes || len(words) > 3+sizes || slices.ContainsFunc(words, func(w []byte) bool { return len(w) == 0 }) {
		return 0, false, errStrange
	}
	for _, word := range words[len(words)-sizes:] {
		n, err := strconv.ParseUint(string(word), 10, 63)
		switch {
		case err == nil && n > maxFrame:
			return 0, false, fmt.Errorf("expected a message of at most %d bytes", maxFrame)
		case err != nil || int(n) < size: // all is no less than the header
			return 0, false, errStrange
		}
		size = int(n)
	}
	return size, true, nil
}
