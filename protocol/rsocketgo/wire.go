package rsocketgo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rsocket/rsocket-go/core"
	"github.com/rsocket/rsocket-go/core/framing"
	"github.com/rsocket/rsocket-go/core/transport"

	"warmline.dev/protocol/rsocket/frame"
)

// wire stands between rsocket-go and the socket, as its transport.Conn. What
// arrives is judged before the library sees it (see Conn.judge), what the
// library writes is corrected where it has to be, and what the library never
// says this side says here.
type wire struct {
	c  *Conn
	nc net.Conn

	// guarded by in
	in      sync.Mutex
	arrived sync.Cond // there is a frame for the library, or no more come
	taken   sync.Cond // the library took one, or the connection is ending
	frames  [][]byte  // for the library
	over    bool      // no more come

	// guarded by out
	out   sync.Mutex
	w     *bufio.Writer
	buf   bytes.Buffer  // one frame, behind its length
	begun chan struct{} // closed when SETUP has been written
	dead  bool          // the socket takes no more: what is written is dropped

	// guarded by mine
	mine   sync.Mutex
	said   []byte        // frames of this side's own, behind their lengths
	speak  chan struct{} // there are some
	silent chan struct{} // closed by stop
	spoken chan struct{} // closed when the last have been written
}

var _ transport.Conn = (*wire)(nil)

const prefixSize = 3

// backlog is how many frames may wait for the library before reading stops.
const backlog = 64

func newWire(c *Conn, nc net.Conn) *wire {
	w := &wire{
		c: c, nc: nc, w: bufio.NewWriterSize(socket{nc, c.cfg.WriteTimeout}, 16<<10),
		begun: make(chan struct{}), speak: make(chan struct{}, 1), silent: make(chan struct{}), spoken: make(chan struct{}),
	}
	w.arrived.L, w.taken.L = &w.in, &w.in
	return w
}

// Below: towards the library.

// Read gives the library its next frame. At the end it says io.EOF, which the
// library takes without a word; by then it has let go of every request.
func (w *wire) Read() (core.BufferedFrame, error) {
	w.in.Lock()
	for len(w.frames) == 0 && !w.over {
		w.arrived.Wait()
	}
	if len(w.frames) == 0 {
		w.in.Unlock()
		w.c.calls.Wait()
		return nil, io.EOF
	}
	b := w.frames[0]
	w.frames[0] = nil
	w.frames = w.frames[1:]
	w.taken.Signal()
	w.in.Unlock()
	return framing.FromBytes(b)
}

// pass hands a frame to the library, and waits while too many wait there.
func (w *wire) pass(b []byte) {
	w.in.Lock()
	defer w.in.Unlock()
	for len(w.frames) >= backlog && !w.over && !w.c.over.Load() {
		w.taken.Wait()
	}
	w.add(b)
}

// conclude tells the library that the peer's side of a stream is complete. It
// does not wait.
func (w *wire) conclude(id uint32) {
	w.in.Lock()
	defer w.in.Unlock()
	w.add(frame.AppendPayload(nil, id, frame.FlagComplete, nil, nil))
}

// add is called with the lock held.
func (w *wire) add(b []byte) {
	if !w.over {
		w.frames = append(w.frames, b)
		w.arrived.Signal()
	}
}

// wake lets go whoever waits in pass: the connection is ending.
func (w *wire) wake() {
	w.in.Lock()
	defer w.in.Unlock()
	w.taken.Broadcast()
}

// finish lets the library come to the end.
func (w *wire) finish() {
	w.in.Lock()
	defer w.in.Unlock()
	w.over = true
	w.arrived.Broadcast()
	w.taken.Broadcast()
}

// SetDeadline does nothing: the read loop watches the lifetime, which the
// library does not take from SETUP.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetCounter does nothing: the positions that the library would count are for
// resumption.
func (w *wire) SetCounter(*core.TrafficCounter) {}

// Close is the library's last act, or its surrender to something unexpected.
func (w *wire) Close() error {
	w.c.end(errGaveUp)
	return nil
}

// Below: towards the socket.

// Write writes a frame of the library's. It never fails: the library would keep
// the frame, and whoever waits for it would wait for ever.
func (w *wire) Write(f core.WriteableFrame) error {
	setup := f.Header().Type() == core.FrameTypeSetup
	if !setup {
		<-w.begun // the library sends SETUP and its first KEEPALIVE side by side
	}
	w.out.Lock()
	defer w.out.Unlock()
	w.buf.Reset()
	w.buf.Write(make([]byte, prefixSize))
	if _, err := f.WriteTo(&w.buf); err != nil {
		return err // a buffer takes everything
	}
	b := w.buf.Bytes()
	n := len(b) - prefixSize
	b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n)
	switch {
	case setup: // who dials does not wait for the socket
		w.say(b[prefixSize:])
	case w.c.edit(b[prefixSize:]):
		w.write(b)
	}
	return nil
}

// Flush never fails either.
func (w *wire) Flush() error {
	w.out.Lock()
	defer w.out.Unlock()
	w.flush()
	return nil
}

// write writes frames behind their lengths. They are not parted: a WebSocket
// takes whole frames only. The caller holds out.
func (w *wire) write(b []byte) {
	if len(b) > w.w.Available() {
		w.flush()
	}
	if !w.dead {
		_, err := w.w.Write(b)
		w.failed(err)
	}
}

func (w *wire) flush() {
	if !w.dead {
		w.failed(w.w.Flush())
	}
}

func (w *wire) failed(err error) {
	if err != nil {
		w.dead = true
		w.c.writeFailed(err)
	}
}

// socket is where a wire's buffer goes: each write within Config.WriteTimeout.
type socket struct {
	nc      net.Conn
	timeout time.Duration
}

func (s socket) Write(b []byte) (int, error) {
	if s.timeout <= 0 {
		return s.nc.Write(b)
	}
	_ = s.nc.SetWriteDeadline(time.Now().Add(s.timeout)) // a dead socket says so on write
	n, err := s.nc.Write(b)
	_ = s.nc.SetWriteDeadline(time.Time{}) // otherwise TLS, which answers some of what it reads, would find it passed
	return n, err
}

// say writes a frame of this side's own, some time soon: it does not wait, so
// that locks may be held.
func (w *wire) say(b []byte) {
	n := len(b)
	w.mine.Lock()
	defer w.mine.Unlock()
	w.said = append(append(w.said, byte(n>>16), byte(n>>8), byte(n)), b...)
	select {
	case w.speak <- struct{}{}:
	default:
	}
}

// owes is how many bytes say has not got rid of.
func (w *wire) owes() int {
	w.mine.Lock()
	defer w.mine.Unlock()
	return len(w.said)
}

// run writes what say was given until stop is called. A client's first is SETUP.
func (w *wire) run() {
	defer close(w.spoken)
	begin := sync.OnceFunc(func() { close(w.begun) })
	if !w.c.client {
		begin()
	}
	for last := false; !last; {
		select {
		case <-w.speak:
		case <-w.silent:
			last = true
		}
		w.mine.Lock()
		b := w.said
		w.said = nil
		w.mine.Unlock()
		w.out.Lock()
		w.write(b)
		w.flush()
		w.out.Unlock()
		begin()
	}
}

// stop writes what is left and then nothing more.
func (w *wire) stop() {
	close(w.silent)
	<-w.spoken
	w.out.Lock()
	defer w.out.Unlock()
	w.dead = true
}

// edit looks at a frame that the library is about to write, and reports whether
// it is to leave.
func (c *Conn) edit(b []byte) bool {
	id := binary.BigEndian.Uint32(b)
	head := binary.BigEndian.Uint16(b[4:])
	flags := frame.Flags(head & 0x3FF)
	switch frame.Type(head >> 10) {
	case frame.TypeRequestFNF, frame.TypeMetadataPush:
		c.giveRoom()
	case frame.TypePayload:
		if flags&frame.FlagNext != 0 {
			c.giveRoom()
		}
	case frame.TypeRequestResponse:
		c.giveRoom()
		return c.streams.leaves(id)
	case frame.TypeRequestStream, frame.TypeRequestChannel:
		c.giveRoom()
		binary.BigEndian.PutUint32(b[frame.HeaderSize:], uint32(c.cfg.Window))
		return c.streams.leaves(id)
	case frame.TypeRequestN:
		// The library grants all there is, once: what the peer may send is counted
		// here, and the library only delivers it.
		ch, ok := c.streams.find(id).(*channel)
		if !ok || !ch.windowed {
			return false
		}
		binary.BigEndian.PutUint32(b[frame.HeaderSize:], uint32(c.cfg.Window))
	case frame.TypeError:
		return id != 0 // the end of the connection is told by this side
	}
	return true
}
