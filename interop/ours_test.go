package interop

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/serving"
	"warmline.dev/protocol/rsocket"
)

var ourConfig = rsocket.Config{Window: window}

// serveOurs runs our server and returns its address.
func serveOurs(t *testing.T, accept func(*rsocket.Conn) (rsocket.Handler, error)) string {
	t.Helper()
	s, err := rsocket.NewServer(func(_ context.Context, conn *rsocket.Conn) (rsocket.Handler, error) {
		return accept(conn)
	}, ourConfig)
	if err != nil {
		t.Fatal(err)
	}
	return serving.Start(t, s.Serve, func() error { return within(t, "our server closes", s.Close) })
}

func dialOurs(t *testing.T, address string, h rsocket.Handler, setup rsocket.Setup) *rsocket.Conn {
	t.Helper()
	conn, err := rsocket.Dial(t.Context(), address, setup, h, ourConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { within(t, "our client closes", conn.Close) })
	return conn
}

// ourEnd is an end that our engine plays.
type ourEnd struct {
	*witness
	conn *rsocket.Conn
}

func (e *ourEnd) call(p message) (message, error) {
	request := rsocket.Payload{Data: []byte(p.data)}
	if p.metadata != "" {
		request.Metadata = []byte(p.metadata)
	}
	reply, err := e.conn.Call(context.Background(), request)
	return message{string(reply.Metadata), string(reply.Data)}, err
}

func (e *ourEnd) forget(p message) {
	_ = e.conn.FireAndForget(context.Background(), rsocket.Payload{Metadata: []byte(p.metadata), Data: []byte(p.data)}) // what arrives is what counts
}

func (e *ourEnd) list(request string) stream {
	ch, err := e.conn.OpenStream(context.Background(), rsocket.Payload{Data: []byte(request)})
	if err != nil {
		return brokenStream{err}
	}
	return &ourStream{ch: ch}
}

func (e *ourEnd) push(metadata string) {
	_ = e.conn.PushMetadata(context.Background(), []byte(metadata)) // what arrives is what counts
}

func (e *ourEnd) close() { _ = e.conn.Close() }

func (e *ourEnd) open(first string) stream {
	ch, err := e.conn.OpenChannel(context.Background(), rsocket.Payload{Data: []byte(first)})
	if err != nil {
		return brokenStream{err}
	}
	s := &ourStream{ch: ch, queue: make(chan string, 1<<10)}
	s.left.Store(1)
	go s.run(e.conn.Done())
	return s
}

// brokenStream is one that could not be opened.
type brokenStream struct{ err error }

func (s brokenStream) send(...string)        {}
func (s brokenStream) complete()             {}
func (s brokenStream) sent() int             { return 0 }
func (s brokenStream) recv() (string, error) { return "", s.err }

type ourStream struct {
	ch    rsocket.Channel
	queue chan string
	left  atomic.Int64
}

func (s *ourStream) send(items ...string) {
	for _, item := range items {
		s.queue <- item
	}
}

func (s *ourStream) complete() { close(s.queue) }
func (s *ourStream) sent() int { return int(s.left.Load()) }

func (s *ourStream) recv() (string, error) {
	p, err := s.ch.Recv(context.Background())
	return string(p.Data), err
}

func (s *ourStream) run(over <-chan struct{}) {
	for {
		select {
		case item, more := <-s.queue:
			if !more {
				_ = s.ch.CloseSend() // one that is over needs no end
				return
			}
			if s.ch.Send(context.Background(), rsocket.Payload{Data: []byte(item)}) != nil {
				return // recv tells why
			}
			s.left.Add(1)
		case <-over:
			return
		}
	}
}

// ourHandler is what our engine answers.
func ourHandler(w *witness) rsocket.Handler {
	hang := func(ctx context.Context) error {
		w.hung <- struct{}{}
		<-ctx.Done()
		w.released <- struct{}{}
		return ctx.Err()
	}
	return rsocket.Handler{
		MetadataPush:  func(metadata []byte) { w.pushed <- string(metadata) },
		FireAndForget: func(_ context.Context, p rsocket.Payload) { w.forgot <- message{string(p.Metadata), string(p.Data)} },
		Stream: func(ctx context.Context, p rsocket.Payload, out rsocket.Channel) error {
			switch string(p.Data) {
			case wordRefuse:
				return &rsocket.Error{Code: rsocket.Code(refusal.code), Message: refusal.text}
			case wordHang:
				return hang(ctx)
			}
			for _, item := range listed(string(p.Data)) {
				if err := out.Send(ctx, rsocket.Payload{Data: []byte(item)}); err != nil {
					return err
				}
				w.replied.Add(1)
			}
			return nil
		},
		Response: func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			switch string(p.Data) {
			case wordRefuse:
				return rsocket.Payload{}, &rsocket.Error{Code: rsocket.Code(refusal.code), Message: refusal.text}
			case wordHang:
				return rsocket.Payload{}, hang(ctx)
			}
			return p, nil
		},
		Channel: func(ctx context.Context, ch rsocket.Channel) error {
			p, err := ch.Recv(ctx)
			switch string(p.Data) {
			case wordRefuse:
				return &rsocket.Error{Code: rsocket.Code(refusal.code), Message: refusal.text}
			case wordHang:
				return hang(ctx)
			case wordGate:
				<-w.gate
			}
			for ; err == nil; p, err = ch.Recv(ctx) {
				if err := ch.Send(ctx, p); err != nil {
					return err
				}
				w.replied.Add(1)
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		},
	}
}
