package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"warmline.dev/bench/harness"
)

// Subcommands by which this program becomes a peer, with a contender as the
// argument; a client has [AddressFlag] too, addresses separated by commas.
const (
	ServerCommand = "tier-server"
	ClientCommand = "tier-client"
	AddressFlag   = "address"
)

const lineConnected = "connected"

// Server is a server's process, as the one that measures sees it.
type Server struct {
	Address string
	*harness.Process
}

// StartServer returns when its caches are warm. The end of ctx kills it.
func StartServer(ctx context.Context, contender string) (*Server, error) {
	p, err := harness.Start(ctx, "server", ServerCommand, contender)
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
	err = ask(s.Process, "usage", &served)
	return served, err
}

// Client is a client's process, as the one that measures sees it.
type Client struct{ *harness.Process }

// StartClient returns when it is connected. The end of ctx kills it.
func StartClient(ctx context.Context, contender string, addresses ...string) (*Client, error) {
	p, err := harness.Start(ctx, "client", ClientCommand, contender, "--"+AddressFlag, strings.Join(addresses, ","))
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
