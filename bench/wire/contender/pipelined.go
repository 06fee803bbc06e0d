package contender

import (
	"bufio"
	"context"
	"net"
)

const pipeBuffer = 64 << 10

// servePipelined writes what it has when no whole message is left to echo.
func servePipelined(l net.Listener, _ Load) error {
	return accept(l, func(nc net.Conn) error {
		r, w := bufio.NewReaderSize(nc, pipeBuffer), bufio.NewWriterSize(nc, pipeBuffer)
		var message []byte
		for {
			var err error
			if message, err = readMessage(r, message); err != nil {
				return err
			}
			if _, err := w.Write(message); err != nil {
				return err
			}
			if r.Buffered() < len(message) {
				if err := w.Flush(); err != nil {
					return err
				}
			}
		}
	})
}

// pipe writes what was sent when no whole reply is left to take, so that a batch
// of replies makes a batch of requests.
type pipe struct {
	nc  net.Conn
	r   *bufio.Reader
	in  []byte // the last reply
	out []byte // requests that wait to be written

	// What fits into the sockets' buffers is written at once. More has to be
	// written beside the reading: two ends that both write and don't read wait for
	// each other for ever.
	beside  bool
	writing chan []byte // holds the batch that is written next
	written chan []byte // buffers to be used again
}

func dialPipelined(ctx context.Context, address string, load Load) (Client, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return Client{}, err
	}
	p := &pipe{nc: nc, r: bufio.NewReaderSize(nc, pipeBuffer), beside: load.bytes() > pipeBuffer}
	if p.beside {
		p.writing, p.written = make(chan []byte, 1), make(chan []byte, 2)
		p.written <- nil
		p.written <- nil
		go p.write()
	}
	return Client{Stream: p}, nil
}

func (p *pipe) Send(_ context.Context, request []byte) error {
	p.out = appendMessage(p.out, request)
	return nil
}

func (p *pipe) Recv(context.Context) ([]byte, error) {
	if p.r.Buffered() < max(prefix, len(p.in)) && len(p.out) > 0 {
		if err := p.flush(); err != nil {
			return nil, err
		}
	}
	var err error
	if p.in, err = readMessage(p.r, p.in); err != nil {
		return nil, err
	}
	return p.in[prefix:], nil
}

func (p *pipe) flush() error {
	if !p.beside {
		_, err := p.nc.Write(p.out)
		p.out = p.out[:0]
		return err
	}
	select {
	case p.writing <- p.out:
		p.out = (<-p.written)[:0] // one of three buffers is being filled, one waits at most
	default: // the batch that waits there will be answered, and then this is tried again
	}
	return nil
}

func (p *pipe) write() {
	for b := range p.writing {
		if _, err := p.nc.Write(b); err != nil {
			_ = p.nc.Close() // so that Recv fails
			return
		}
		p.written <- b
	}
}
