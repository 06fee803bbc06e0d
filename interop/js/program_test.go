package js

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds waits for what must happen; no test depends on how long it took.
const patience = 20 * time.Second

// library is one line of rsocket-js, and what is wrong with it: see the package's documentation.
type library struct {
	name, dir string

	noPush        bool // pushes no metadata, and ends a connection that it comes on
	noCodes       bool // sends APPLICATION_ERROR whatever the code
	noMetadataOut bool // its answers have no metadata
	noMIME        bool // its server does not tell the MIME types of SETUP
	rejectPrefix  string
}

var (
	alpha3 = &library{name: "1.0.0-alpha.3", dir: "alpha3", noPush: true}
	v0     = &library{
		name: "0.0.27", dir: "v0", noCodes: true, noMetadataOut: true, noMIME: true,
		rejectPrefix: "Application rejected setup, reason: ",
	}
	libraries = []*library{alpha3, v0}
)

// line is what a program says.
type line struct {
	ID    string // of the connection, on a server
	Port  int    // a server's first line
	WS    int
	Saw   string // what happened at its end
	Model string
	Sent  int
	Items int
	message
	DataMIME, MetadataMIME string

	Result json.RawMessage // of a scenario
	Closed *failure        // the connection is over
	Warn   string          // the library complains
	Fault  string          // the library threw where nobody catches, and the program ends
}

// failure is an error as the library tells it; Code is 0 for its own.
type failure struct {
	Code    uint32
	Message string
}

// program is a peer program that runs.
type program struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}

	// guarded by mu
	mu    sync.Mutex
	boxes map[string]chan line // by connection
	over  bool                 // they are closed
	wrong string               // what the library threw or complains of; the first counts
}

func start(t testing.TB, l *library, script string, args ...string) *program {
	t.Helper()
	if missing != "" {
		t.Skip(missing)
	}
	p := &program{
		cmd:   exec.Command("node", append([]string{script}, args...)...),
		ended: make(chan struct{}), boxes: map[string]chan line{},
	}
	p.cmd.Dir = l.dir
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(stdout)
	return p
}

func (p *program) listen(stdout io.Reader) {
	defer close(p.ended)
	in := bufio.NewScanner(stdout)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			l.Fault = "no JSON: " + in.Text()
		}
		p.note(l)
		p.box(l.ID) <- l
	}
	_ = p.cmd.Wait() // a fault was told
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for _, box := range p.boxes {
		close(box)
	}
}

// note keeps what must never be said. It may concern any connection.
func (p *program) note(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const overrun = "all request()ed values have been published" // 0.0.27 drops the item
	if strings.Contains(l.Warn, overrun) {
		l.Fault = "more was sent than it asked for: " + l.Warn
	}
	if p.wrong == "" {
		p.wrong = l.Fault
	}
}

func (p *program) complaint() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wrong
}

// box holds what was said about one connection.
func (p *program) box(id string) chan line {
	p.mu.Lock()
	defer p.mu.Unlock()
	box, ok := p.boxes[id]
	if !ok {
		box = make(chan line, 1<<12)
		if p.over {
			close(box)
		}
		p.boxes[id] = box
	}
	return box
}

// stop ends the program as its parent's end would.
func (p *program) stop() {
	_ = p.stdin.Close() // it may have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill() // what can't be killed has ended
		<-p.ended
	}
}

// hear returns the next line that is wanted; others go unheard.
func (p *program) hear(t testing.TB, id, what string, wanted func(line) bool) line {
	t.Helper()
	timeout := time.After(patience)
	box := p.box(id)
	for {
		select {
		case l, open := <-box:
			if wrong := p.complaint(); wrong != "" {
				t.Fatalf("waited in vain for %s: %s", what, wrong)
			}
			if !open {
				t.Fatalf("waited in vain for %s: the program has ended", what)
			}
			if wanted(l) {
				return l
			}
		case <-timeout:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// servers are those that run, by library and options: they are started once.
var servers = &pool{running: map[string]*server{}}

type pool struct {
	mu      sync.Mutex
	running map[string]*server
}

type server struct {
	*program
	port, ws int
}

// get returns a server by l, which a test may not harm.
func (s *pool) get(t testing.TB, l *library, options any) *server {
	t.Helper()
	b, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	key := l.name + string(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[key]; r != nil {
		select {
		case <-r.ended: // a test did; it has failed for it
		default:
			return r
		}
	}
	r := &server{program: start(t, l, "server.js", string(b))}
	first := r.hear(t, "", "the port", func(l line) bool { return l.Port != 0 })
	r.port, r.ws = first.Port, first.WS
	s.running[key] = r
	return r
}

func (s *pool) stop() {
	for _, r := range s.running {
		r.stop()
	}
}
