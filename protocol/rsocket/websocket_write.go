package rsocket

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// webSocketWriter writes messages, each as one WebSocket frame: there are peers
// that take a part of a fragmented message for the whole (rsocket-java does).
// All messages of one call leave in one write, as long as they fit the buffer.
//
// Control frames that answer the peer wait for it on a goroutine of their own,
// so that reading never waits for the socket.
type webSocketWriter struct {
	// immutable
	nc       net.Conn
	client   bool // frames are masked
	patience time.Duration

	mu  sync.Mutex // held while writing
	err error      // why nothing can be written; guarded by mu

	deadlineMu sync.Mutex
	deadline   time.Time // the caller's

	answers sync.WaitGroup
	// guarded by answerMu
	answerMu  sync.Mutex
	pong      []byte // the latest: it answers all pings before it
	answering bool
	closing   []byte // the close message to send; nil: the usual one
	stopped   bool
}

const (
	webSocketBuffer = 64 << 10 // bytes gathered for one write
	webSocketDirect = 16 << 10 // payloads that are written from where they are, if not masked
	webSocketHeader = 14       // the longest header
)

var webSocketBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, webSocketBuffer)
	return &b
}}

var errPartOfFrame = errors.New("rsocket: a write to a WebSocket takes whole frames behind their length prefixes")

// write writes the frames that b consists of.
func (w *webSocketWriter) write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if len(rest) < prefixSize || len(rest) < prefixSize+length(rest) {
			return 0, errPartOfFrame // before anything is written
		}
		rest = rest[prefixSize+length(rest):]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.writeFrames(b)
	}
	if w.err != nil {
		return 0, w.err // after part of a frame nothing else can follow
	}
	return len(b), nil
}

func length(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func (w *webSocketWriter) writeFrames(b []byte) error {
	buf := webSocketBuffers.Get().(*[]byte)
	defer webSocketBuffers.Put(buf)
	out := (*buf)[:0]
	flush := func() error {
		if len(out) == 0 {
			return nil
		}
		_, err := w.nc.Write(out)
		out = out[:0]
		return err
	}
	for len(b) > 0 {
		size := length(b)
		payload := b[prefixSize : prefixSize+size]
		b = b[prefixSize+size:]
		if cap(out)-len(out) < webSocketHeader {
			if err := flush(); err != nil {
				return err
			}
		}
		var key uint32
		if w.client {
			key = rand.Uint32()
		}
		out = appendWebSocketHeader(out, websocket.BinaryMessage, size, w.client, key)
		if !w.client && size >= webSocketDirect {
			if err := flush(); err != nil {
				return err
			}
			if _, err := w.nc.Write(payload); err != nil {
				return err
			}
			continue
		}
		for len(payload) > 0 {
			if len(out) == cap(out) {
				if err := flush(); err != nil {
					return err
				}
			}
			n := min(len(payload), cap(out)-len(out))
			out = append(out, payload[:n]...)
			payload = payload[n:]
			if w.client {
				key = mask(out[len(out)-n:], key)
			}
		}
	}
	return flush()
}

// appendWebSocketHeader appends the header of an unfragmented frame (RFC 6455, 5.2).
func appendWebSocketHeader(dst []byte, opcode byte, size int, masked bool, key uint32) []byte {
	const final, maskBit = 0x80, 0x80
	var m byte
	if masked {
		m = maskBit
	}
	switch {
	case size > 0xFFFF:
		dst = binary.BigEndian.AppendUint64(append(dst, final|opcode, m|127), uint64(size))
	case size > 125:
		dst = binary.BigEndian.AppendUint16(append(dst, final|opcode, m|126), uint16(size))
	default:
		dst = append(dst, final|opcode, m|byte(size))
	}
	if masked {
		dst = binary.LittleEndian.AppendUint32(dst, key)
	}
	return dst
}

// mask masks b in place and returns the key for what follows it.
func mask(b []byte, key uint32) uint32 {
	for wide := uint64(key) | uint64(key)<<32; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
	}
	for i := range b {
		b[i] ^= byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

// answer takes a control frame that package websocket made: whole and masked as
// it must be. Pings ask for one pong, the latest. A close message waits for
// CloseWrite or Close, which the reader's error brings about, so that the ERROR
// frame which says why goes before it.
func (w *webSocketWriter) answer(b []byte) {
	w.answerMu.Lock()
	defer w.answerMu.Unlock()
	if w.stopped {
		return
	}
	if b[0]&0x0F == websocket.CloseMessage {
		if w.closing == nil {
			w.closing = append([]byte(nil), b...)
		}
		return
	}
	w.pong = append([]byte(nil), b...)
	if !w.answering {
		w.answering = true
		w.answers.Go(w.sendPongs)
	}
}

// closeWith says with which code to close.
func (w *webSocketWriter) closeWith(code int, text string) {
	w.answer(w.closeMessage(code, text))
}

func (w *webSocketWriter) closeMessage(code int, text string) []byte {
	body := websocket.FormatCloseMessage(code, text)
	var key uint32
	if w.client {
		key = rand.Uint32()
	}
	b := appendWebSocketHeader(nil, websocket.CloseMessage, len(body), w.client, key)
	b = append(b, body...)
	if w.client {
		mask(b[len(b)-len(body):], key)
	}
	return b
}

func (w *webSocketWriter) sendPongs() {
	for {
		w.answerMu.Lock()
		pong := w.pong
		w.pong = nil
		if pong == nil || w.stopped {
			w.answering = false
			w.answerMu.Unlock()
			return
		}
		w.answerMu.Unlock()
		w.mu.Lock()
		if w.err == nil {
			w.err = w.writeControl(pong, w.patience)
		}
		w.mu.Unlock()
	}
}

// stop takes no more answers, and reports whether it is the first call.
func (w *webSocketWriter) stop() bool {
	w.answerMu.Lock()
	defer w.answerMu.Unlock()
	first := !w.stopped
	w.stopped = true
	return first
}

// sayClose sends the close message, unless a write is under way: then the peer
// does not read.
func (w *webSocketWriter) sayClose() error {
	const patience = time.Second
	if !w.mu.TryLock() {
		return errors.New("rsocket: a write is under way")
	}
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.answerMu.Lock()
	message := w.closing
	w.answerMu.Unlock()
	if message == nil {
		message = w.closeMessage(websocket.CloseNormalClosure, "")
	}
	if w.err = w.writeControl(message, patience); w.err != nil {
		return w.err
	}
	w.err = io.ErrClosedPipe
	return nil
}

// writeControl writes a control frame within patience (0: for ever), or by the
// caller's deadline if that comes first. One that has passed says nothing: it
// was for a write that was in time. The caller holds mu.
func (w *webSocketWriter) writeControl(b []byte, patience time.Duration) error {
	w.deadlineMu.Lock()
	now := time.Now()
	var by time.Time
	if patience > 0 {
		by = now.Add(patience)
	}
	if w.deadline.After(now) && (by.IsZero() || w.deadline.Before(by)) {
		by = w.deadline
	}
	_ = w.nc.SetWriteDeadline(by) // a dead socket says so on write
	w.deadlineMu.Unlock()
	_, err := w.nc.Write(b)
	w.deadlineMu.Lock()
	_ = w.nc.SetWriteDeadline(w.deadline) // likewise
	w.deadlineMu.Unlock()
	return err
}

func (w *webSocketWriter) setDeadline(t time.Time) error {
	w.deadlineMu.Lock()
	defer w.deadlineMu.Unlock()
	w.deadline = t
	return w.nc.SetWriteDeadline(t)
}
