package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"warmline.dev/bench/harness"
)

// Subcommands by which this program becomes a peer, with a contender as the
// argument; a client has [AddressFlag] too, addresses separated by commas, and may
// have [ResilientFlag]. Those of a server are an [Edge].
const (
	ServerCommand = "tier-server"
	ClientCommand = "tier-client"
	AddressFlag   = "address"
	TTLFlag       = "ttl"
	ResilientFlag = "resilient"
)

const lineConnected = "connected"

// What a server is told.
const (
	lineUsage  = "usage"
	lineSettle = "settle"
	lineHang   = "hang" // its source
	lineHeal   = "heal"
	lineStop   = "stop" // it answers when it has
)

// Server is a server's process, as the one that measures sees it.
type Server struct {
	Address string
	*harness.Process
}

// StartServer is StartEdge, with the defaults.
func StartServer(ctx context.Context, contender string) (*Server, error) {
	return StartEdge(ctx, contender, Edge{})
}

// StartEdge returns when its caches are warm. The end of ctx kills it.
func StartEdge(ctx context.Context, contender string, e Edge) (*Server, error) {
	p, err := harness.Start(ctx, "server", ServerCommand, contender, "--"+AddressFlag, e.Address, "--"+TTLFlag, e.TTL.String())
	if err != nil {
		return nil, err
	}
	address, err := p.Line()
	if err != nil {
		return nil, err
	}
	return &Server{address, p}, nil
}

// Served asks what it has used.
func (s *Server) Served() (served Served, err error) {
	err = ask(s.Process, lineUsage, &served)
	return served, err
}

// Settled is Served when it has given back memory that it does not need.
func (s *Server) Settled() (served Served, err error) {
	err = ask(s.Process, lineSettle, &served)
	return served, err
}

// Hang has the source behind its caches hang, or heal.
func (s *Server) Hang(hang bool) error {
	line := lineHeal
	if hang {
		line = lineHang
	}
	return ask(s.Process, line, new(Served))
}

// Shutdown has it finish what is under way, and returns when it is gone.
func (s *Server) Shutdown() error {
	return errors.Join(ask(s.Process, lineStop, new(Served)), s.Stop())
}

// Client is a client's process, as the one that measures sees it.
type Client struct{ *harness.Process }

// StartClient returns when it is connected. The end of ctx kills it.
func StartClient(ctx context.Context, contender string, addresses ...string) (*Client, error) {
	return startClient(ctx, contender, addresses)
}

// StartResilient is StartClient for servers that fail, see contender.Load.
func StartResilient(ctx context.Context, contender string, addresses ...string) (*Client, error) {
	return startClient(ctx, contender, addresses, "--"+ResilientFlag)
}

func startClient(ctx context.Context, contender string, addresses []string, flags ...string) (*Client, error) {
	args := append([]string{ClientCommand, contender, "--" + AddressFlag, strings.Join(addresses, ",")}, flags...)
	p, err := harness.Start(ctx, "client", args...)
	if err != nil {
		return nil, err
	}
	if line, err := p.Line(); err != nil || line != lineConnected {
		return nil, orUnexpected(err, line)
	}
	return &Client{p}, nil
}

// Do has it do a task, and returns when that is done.
func (c *Client) Do(t Task) (taken Taken, err error) {
	line, err := json.Marshal(t)
	if err != nil {
		return taken, err
	}
	err = ask(c.Process, string(line), &taken)
	return taken, err
}

func ask(p *harness.Process, line string, into any) error {
	answer, err := p.Ask(line)
	if err != nil {
		return err
	}
	if json.Unmarshal([]byte(answer), into) != nil {
		return orUnexpected(nil, answer)
	}
	return nil
}

// orUnexpected is err, or else an error about a line that is none of ours: a
// contender must not print.
func orUnexpected(err error, line string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("it printed %q, which is not an answer to what it was asked", line)
}
