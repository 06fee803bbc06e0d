package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"sync/atomic"
	"testing"

	"warmline.dev/protocol/rsocket"
)

type options = map[string]any

// terms are what a connection is made on; the zero value is the plain one over TCP.
type terms struct {
	ours   rsocket.Config
	setup  rsocket.Setup // when we dial
	theirs options       // of the program
	ws     bool
	via    func(t testing.TB, address string) string // puts something between, and returns its address
}

// pair is one connection between our engine and rsocket-js.
type pair struct {
	*witness
	t       *testing.T
	conn    *rsocket.Conn // our end
	program *program      // their end
	id      string        // of the connection in what their end says
}

// saw waits until their end says that it saw something.
func (p *pair) saw(what string) line {
	p.t.Helper()
	return p.program.hear(p.t, p.id, what, func(l line) bool { return l.Saw == what })
}

// closed waits until their end says that the connection is over, and why.
func (p *pair) closed() failure {
	p.t.Helper()
	return *p.program.hear(p.t, p.id, "the end of the connection", func(l line) bool { return l.Closed != nil }).Closed
}

// result waits for what their scenario found out.
func (p *pair) result() (r result) {
	p.t.Helper()
	l := p.program.hear(p.t, p.id, "the result", func(l line) bool { return l.Result != nil })
	if err := json.Unmarshal(l.Result, &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// result is what a scenario found out: each uses some of it.
type result struct {
	Replies  []reply
	Outcome  *reply
	Items    []message
	Sent     int
	End      string
	Complete bool
	Canceled bool
	Overrun  bool
	Error    *failure
	Results  []result

	Response, Stream, Channel reply
	Closed                    *failure
}

type reply struct {
	message
	Error *failure
}

// either runs a test for each library and for each side that may dial.
func either(t *testing.T, test func(t *testing.T, l *library, theyDial bool)) {
	for _, l := range libraries {
		t.Run(l.name+", they dial", func(t *testing.T) { test(t, l, true) })
		t.Run(l.name+", we dial", func(t *testing.T) { test(t, l, false) })
	}
}

// theyAsk runs one of their scenarios, see peer/scenarios.js, on a connection that either side dialled.
func theyAsk(t *testing.T, l *library, theyDial bool, how terms, scenario string, o options) *pair {
	t.Helper()
	if theyDial {
		return dialled(t, l, how, scenario, o)
	}
	return dial(t, l, how, with(o, "run", scenario))
}

// weAsk makes a connection on which their end only answers.
func weAsk(t *testing.T, l *library, theyDial bool, how terms) *pair {
	t.Helper()
	if theyDial {
		return dialled(t, l, how, "serve", nil)
	}
	return dial(t, l, how, nil)
}

func with(o options, key string, value any) options {
	all := options{key: value}
	maps.Copy(all, o)
	return all
}

var connections atomic.Int64

// dial connects our client to their server, which finds its wish in SETUP.
func dial(t *testing.T, l *library, how terms, wish options) *pair {
	t.Helper()
	s := servers.get(t, l, how.theirs)
	address := fmt.Sprintf("tcp://127.0.0.1:%d", s.port)
	if how.ws {
		address = fmt.Sprintf("ws://127.0.0.1:%d/", s.ws)
	}
	if how.via != nil {
		address = how.via(t, address)
	}
	p := &pair{witness: newWitness(), t: t, program: s.program, id: fmt.Sprint(connections.Add(1))}
	setup, err := json.Marshal(with(wish, "id", p.id))
	if err != nil {
		t.Fatal(err)
	}
	how.setup.Payload.Data = setup
	if p.conn, err = rsocket.Dial(t.Context(), address, how.setup, p.handler(), how.config()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.conn.Close() }) // never fails
	return p
}

func (how terms) config() rsocket.Config {
	c := how.ours
	if c.Window == 0 {
		c.Window = window
	}
	return c
}

// dialled has their client connect to our server and run a scenario.
func dialled(t *testing.T, l *library, how terms, scenario string, o options) *pair {
	t.Helper()
	p := &pair{witness: newWitness(), t: t}
	conns := make(chan *rsocket.Conn, 16)
	address := serve(t, how, func(conn *rsocket.Conn) (rsocket.Handler, error) {
		conns <- conn
		return p.handler(), nil
	})
	p.program = runClient(t, l, how, address, scenario, o)
	select {
	case p.conn = <-conns:
	case <-p.program.ended:
		p.program.hear(t, "", "a connection", func(line) bool { return false }) // tells why
	}
	return p
}

// runClient runs their client until the test is over.
func runClient(t *testing.T, l *library, how terms, address, scenario string, o options) *program {
	t.Helper()
	if how.via != nil {
		address = how.via(t, address)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	all := options{}
	maps.Copy(all, how.theirs)
	maps.Copy(all, o)
	if how.ws {
		all["ws"] = at.Path
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, l, "client.js", at.Port(), scenario, string(b))
	t.Cleanup(p.stop)
	return p
}

// serve runs our server and returns its address.
func serve(t *testing.T, how terms, accept func(*rsocket.Conn) (rsocket.Handler, error)) string {
	t.Helper()
	s, err := rsocket.NewServer(func(_ context.Context, conn *rsocket.Conn) (rsocket.Handler, error) {
		return accept(conn)
	}, how.config())
	if err != nil {
		t.Fatal(err)
	}
	scheme, path := "tcp", ""
	if how.ws {
		scheme, path = "ws", "/rsocket"
	}
	l, err := rsocket.Listen(t.Context(), scheme+"://127.0.0.1:0"+path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close() // never fails
		if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return scheme + "://" + l.Addr().String() + path
}
