package contender

import (
	"context"
	"errors"
	"io"
	"net"

	"warmline.dev/protocol/rsocket"
)

// warmlineConfig is the default where that has room for the load.
func warmlineConfig(load Load) rsocket.Config {
	return rsocket.Config{
		// Credit comes back in halves of the window: with less than twice what is in
		// flight the window would be what is measured.
		Window:     max(32, 2*load.InFlight),
		MaxUnread:  max(64<<20, 2*load.bytes()),
		MaxStreams: max(4096, load.InFlight),
		MaxConns:   max(10_000, load.InFlight),
	}
}

func serveWarmline(l net.Listener, load Load) error {
	s, err := rsocket.NewServer(func(context.Context, *rsocket.Conn) (rsocket.Handler, error) {
		return rsocket.Handler{Response: warmlineResponse, Channel: warmlineChannel}, nil
	}, warmlineConfig(load))
	if err != nil {
		return err
	}
	return s.Serve(l)
}

func warmlineResponse(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) { return p, nil }

func warmlineChannel(ctx context.Context, ch rsocket.Channel) error {
	for {
		p, err := ch.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ch.Send(ctx, p)
		}
		if err != nil {
			return err
		}
	}
}

func connectWarmline(ctx context.Context, address string, load Load) (*rsocket.Conn, error) {
	return rsocket.Dial(ctx, "tcp://"+address, rsocket.Setup{}, rsocket.Handler{}, warmlineConfig(load))
}

func warmlineLane(conn *rsocket.Conn) Lane {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		reply, err := conn.Call(ctx, rsocket.Payload{Data: request})
		return reply.Data, err
	}
}

func dialWarmline(ctx context.Context, address string, load Load) (Client, error) {
	conn, err := connectWarmline(ctx, address, load)
	if err != nil {
		return Client{}, err
	}
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		lanes[i] = warmlineLane(conn)
	}
	return Client{Lanes: lanes}, nil
}

func dialWarmlineEach(ctx context.Context, address string, load Load) (Client, error) {
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		conn, err := connectWarmline(ctx, address, load)
		if err != nil {
			return Client{}, err
		}
		lanes[i] = warmlineLane(conn)
	}
	return Client{Lanes: lanes}, nil
}

func dialWarmlineChannel(ctx context.Context, address string, load Load) (Client, error) {
	conn, err := connectWarmline(ctx, address, load)
	if err != nil {
		return Client{}, err
	}
	ch, err := conn.OpenChannel(ctx, rsocket.Payload{})
	if err != nil {
		return Client{}, err
	}
	if _, err := ch.Recv(ctx); err != nil { // the payload it was opened with, echoed
		return Client{}, err
	}
	return Client{Stream: warmlineStream{ch}}, nil
}

type warmlineStream struct{ ch rsocket.Channel }

func (s warmlineStream) Send(ctx context.Context, request []byte) error {
	return s.ch.Send(ctx, rsocket.Payload{Data: request})
}

func (s warmlineStream) Recv(ctx context.Context) ([]byte, error) {
	p, err := s.ch.Recv(ctx)
	return p.Data, err
}
