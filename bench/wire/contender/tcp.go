package contender

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
)

// A message on raw TCP is its length, four bytes, and as many bytes.
const prefix = 4

func appendMessage(dst, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(body))), body...)
}

// readMessage reads one message, with its length, into buf if it has room.
func readMessage(r *bufio.Reader, buf []byte) ([]byte, error) {
	head, err := r.Peek(prefix)
	if err != nil {
		return nil, err
	}
	n := prefix + int(binary.BigEndian.Uint32(head))
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err = io.ReadFull(r, buf)
	return buf, err
}

func serveTCP(l net.Listener, load Load) error {
	return accept(l, func(nc net.Conn) error {
		r := bufio.NewReaderSize(nc, prefix+load.Payload)
		var message []byte
		for {
			var err error
			if message, err = readMessage(r, message); err != nil {
				return err
			}
			if _, err := nc.Write(message); err != nil {
				return err
			}
		}
	})
}

// accept serves each connection until it fails, which is how clients leave.
func accept(l net.Listener, serve func(net.Conn) error) error {
	for {
		nc, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			_ = serve(nc) // the client tells what is worth telling
			_ = nc.Close()
		}()
	}
}

func dialTCP(ctx context.Context, address string, load Load) (Client, error) {
	var d net.Dialer
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		nc, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return Client{}, err
		}
		r := bufio.NewReaderSize(nc, prefix+load.Payload)
		var out, in []byte
		lanes[i] = func(_ context.Context, request []byte) ([]byte, error) {
			out = appendMessage(out[:0], request)
			if _, err := nc.Write(out); err != nil {
				return nil, err
			}
			var err error
			if in, err = readMessage(r, in); err != nil {
				return nil, err
			}
			return in[prefix:], nil
		}
	}
	return Client{Lanes: lanes}, nil
}
