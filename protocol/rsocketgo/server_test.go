package rsocketgo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// What a client may say to a server, and what rsocket-go by itself would make of it.

// recorded takes everything on a channel and tells what and why it ended.
func recorded() (h rsocket.Handler, took chan string) {
	took = make(chan string, 1<<10)
	h = echo
	h.Channel = func(_ context.Context, ch rsocket.Channel) error {
		for {
			p, err := ch.Recv(context.Background())
			if err != nil {
				took <- err.Error()
				return nil
			}
			took <- string(p.Data)
		}
	}
	return h, took
}

// rsocket-go panics: "frame has been released".
func TestAnErrorOfARequesterIsNoPanic(t *testing.T) {
	h, took := recorded()
	_, p := rawClient(t, h, rsocket.Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 10, nil, []byte("a")))
	p.want("REQUEST_N 1 n=32")
	p.write(frame.AppendError(nil, 1, 0x345, "no more"))
	for _, want := range []string{"a", "rsocket: peer: 0x345: no more"} {
		if got := await.Value(t, "an item", took); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.want("PAYLOAD 1 C") // nobody waits for it
	p.alive(3)
}

func TestACancelledChannelIsForgotten(t *testing.T) {
	h, took := recorded()
	s, p := rawClient(t, h, rsocket.Config{})
	p.write(setupFrame())
	for id := uint32(1); id < 40; id += 2 {
		p.write(frame.AppendRequestMany(nil, id, frame.TypeRequestChannel, 0, 10, nil, []byte("a")), frame.AppendCancel(nil, id))
		for got := ""; got != rsocket.ErrCanceled.Error(); {
			got = await.Value(t, "an item", took)
		}
	}
	await.Until(t, "nothing is in flight", func() bool { return s.Conns()[0].InFlight() == 0 })
}

// rsocket-go does not look at the flag.
func TestARequestMayBeComplete(t *testing.T) {
	h, took := recorded()
	_, p := rawClient(t, h, rsocket.Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, frame.FlagComplete|frame.FlagFollows, 10, nil, []byte("a")))
	for _, want := range []string{"a", io.EOF.Error()} {
		if got := await.Value(t, "an item", took); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.want("PAYLOAD 1 C")
}

// rsocket-go lets the second request have the first one's answers.
func TestARequestOnAnIDInUseIsIgnored(t *testing.T) {
	h, took := recorded()
	_, p := rawClient(t, h, rsocket.Config{})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 10, nil, []byte("a")))
	p.want("REQUEST_N 1 n=32")
	p.write(request(1, "x"), item(1, "b"), frame.AppendPayload(nil, 1, frame.FlagComplete, nil, nil))
	for _, want := range []string{"a", "b", io.EOF.Error()} {
		if got := await.Value(t, "an item", took); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.want("PAYLOAD 1 C")
	p.alive(3)
}

// rsocket-go loses the end that a last fragment says, and has no bound.
func TestFragmentsArePutTogether(t *testing.T) {
	h, took := recorded()
	_, p := rawClient(t, h, rsocket.Config{MaxPayload: 10, MaxReassembly: 15})
	more := frame.FlagNext | frame.FlagFollows
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, frame.FlagFollows, 10, nil, []byte("a")))
	p.write(frame.AppendRequestN(nil, 1, 5), frame.AppendPayload(nil, 1, more, nil, []byte("b")), item(1, "c"))
	p.want("REQUEST_N 1 n=32")
	p.write(frame.AppendPayload(nil, 1, more, nil, []byte("d")), frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagComplete, nil, []byte("e")))
	for _, want := range []string{"abc", "de", io.EOF.Error()} {
		if got := await.Value(t, "an item", took); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.want("PAYLOAD 1 C")

	p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, frame.FlagFollows, nil, make([]byte, 10)), item(3, "x"))
	p.want("ERROR 3 INVALID a payload of more than 10 bytes")
	p.write(frame.AppendRequest(nil, 5, frame.TypeRequestResponse, frame.FlagFollows, nil, make([]byte, 10)))
	p.write(frame.AppendRequest(nil, 7, frame.TypeRequestResponse, frame.FlagFollows, nil, make([]byte, 10)))
	p.want("ERROR 7 REJECTED the unfinished payloads of this connection exceed 15 bytes")
	p.write(frame.AppendCancel(nil, 5), request(9, "1234567890"))
	p.want("PAYLOAD 9 NC 1234567890")
	p.write(request(11, "12345678901"))
	p.want("ERROR 11 INVALID a payload of more than 10 bytes")
}

func TestRequestsAreBounded(t *testing.T) {
	entered, gate := make(chan struct{}, 10), make(chan struct{})
	h := rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		entered <- struct{}{}
		<-gate
		return p, nil
	}}
	s, p := rawClient(t, h, rsocket.Config{MaxStreams: 2})
	p.write(setupFrame(), request(1, "a"), request(3, "b"))
	for range 2 {
		await.Value(t, "a request", entered)
	}
	p.write(frame.AppendCancel(nil, 1), request(5, "c")) // who does not stop keeps its place
	p.want("ERROR 5 REJECTED 2 requests are being answered, at most 2 are taken")
	close(gate)
	got := []string{p.read(), p.read()}
	slices.Sort(got)
	if want := []string{"ERROR 1 CANCELED canceled", "PAYLOAD 3 NC b"}; !slices.Equal(got, want) { // nobody waits for the first
		t.Errorf("got %q, want %q", got, want)
	}
	await.Until(t, "nothing is in flight", func() bool { return s.Conns()[0].InFlight() == 0 })
}

func TestFirstFrames(t *testing.T) {
	version := setupFrame()
	version[7] = 2
	mime := setupFrame()
	mime[18] = 200
	for name, c := range map[string]struct {
		frame []byte
		want  string
	}{
		"a MIME length out of range": {mime, "INVALID_SETUP SETUP frame: the metadata MIME type runs past the 8 bytes that are left"}, // rsocket-go panics
		"RESUME":                     {frame.AppendResume(nil, frame.Resume{Token: []byte("t")}), "REJECTED_RESUME resumption is not supported"},
		"a token out of range":       {edited(frame.AppendResume(nil, frame.Resume{Token: []byte("t")}), 10, 200), "REJECTED_RESUME resumption is not supported"}, // rsocket-go panics
		"another version":            {version, "UNSUPPORTED_SETUP RSocket version 2.0, expected 1.x"},
		"leases":                     {frame.AppendSetup(nil, setup, frame.FlagLease, nil, nil), "UNSUPPORTED_SETUP leases are not supported"},
		"a request":                  {request(1, ""), "INVALID_SETUP the first frame is REQUEST_RESPONSE on stream 1, expected SETUP on stream 0"},
		"nothing":                    {nil, "INVALID_SETUP no SETUP within 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := rawClient(t, echo, rsocket.Config{FirstFrameTimeout: 50 * time.Millisecond})
			if c.frame != nil {
				p.write(c.frame)
			}
			p.want("ERROR 0 "+c.want, "EOF")
		})
	}
}

// rsocket-go does not know the lifetime that the client declared.
func TestASilentClientIsGivenUp(t *testing.T) {
	_, p := rawClient(t, echo, rsocket.Config{})
	p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Millisecond, Lifetime: 30 * time.Millisecond}, 0, nil, nil))
	p.want("ERROR 0 CONNECTION_ERROR no frame for 30ms, the lifetime of the connection", "EOF")
}

func TestAFrameMayNotBeTooLong(t *testing.T) {
	_, p := rawClient(t, echo, rsocket.Config{MaxFrame: 100})
	p.write(setupFrame())
	p.alive(1)
	if _, err := p.nc.Write([]byte{0, 0, 101}); err != nil {
		t.Fatal(err)
	}
	p.want("ERROR 0 CONNECTION_ERROR a frame of 101 bytes is announced, at most 100 are taken", "EOF")
}

func TestAnAcceptorMayAsk(t *testing.T) {
	answers := make(chan string, 1)
	_, p := rawAccepted(t, func(ctx context.Context, c *Conn) (rsocket.Handler, error) {
		go func() {
			got, err := c.Call(ctx, rsocket.Payload{Data: []byte("who?")})
			answers <- fmt.Sprint(string(got.Data), err)
		}()
		return echo, nil
	}, rsocket.Config{})
	p.write(setupFrame())
	p.want("REQUEST_RESPONSE 2 who?")
	p.write(frame.AppendPayload(nil, 2, frame.FlagNext|frame.FlagComplete, nil, []byte("me")))
	if got := await.Value(t, "the answer", answers); got != "me<nil>" {
		t.Error(got)
	}
}

func TestARequestMadeByAnAcceptorThatRefusesFails(t *testing.T) {
	result := make(chan error, 1)
	_, p := rawAccepted(t, func(ctx context.Context, c *Conn) (rsocket.Handler, error) {
		go func() { _, err := c.Call(context.Background(), rsocket.Payload{}); result <- err }()
		return rsocket.Handler{}, errors.New("no")
	}, rsocket.Config{})
	p.write(setupFrame())
	p.want("ERROR 0 REJECTED_SETUP no", "EOF")
	if err := await.Value(t, "the answer", result); !errors.Is(err, rsocket.ErrClosed) {
		t.Error(err)
	}
}

func TestServerIsClosedOnce(t *testing.T) {
	s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return echo, nil }, rsocket.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	p := &peer{t, dialRaw(t, l.Addr().String())}
	p.write(setupFrame())
	p.alive(1)
	(&peer{t, dialRaw(t, l.Addr().String())}).want("EOF") // there is room for one
	if err := s.Shutdown(await.Context(t)); err != nil {
		t.Error(err)
	}
	p.want("ERROR 0 CONNECTION_CLOSE closing gracefully", "EOF")
	if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	again, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(again); !errors.Is(err, rsocket.ErrServerClosed) {
		t.Errorf("Serve on a closed server: %v", err)
	}
}

func TestServeTellsWhatIsWrongWithAListener(t *testing.T) {
	s, err := NewServer(nil, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := s.Serve(l); err == nil || !strings.HasPrefix(err.Error(), "rsocketgo: accept: ") {
		t.Errorf("got %v", err)
	}
}

func TestAHandlerMayFailTheConnection(t *testing.T) {
	conns := make(chan *Conn, 1)
	_, p := rawAccepted(t, func(_ context.Context, c *Conn) (rsocket.Handler, error) {
		conns <- c
		return rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			c.Fail(frame.CodeConnectionError, "enough")
			return rsocket.Payload{}, nil
		}}, nil
	}, rsocket.Config{})
	p.write(setupFrame(), request(1, ""))
	p.want("ERROR 0 CONNECTION_ERROR enough", "EOF")
	if c := <-conns; !errors.Is(c.Err(), rsocket.ErrClosed) {
		t.Errorf("Err is %v", c.Err())
	}
}

// What a responder says last comes behind what it said before.
func TestAnErrorComesBehindTheItemsAndTheEnd(t *testing.T) {
	_, p := rawClient(t, rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
		for i := range 20 {
			if err := ch.Send(ctx, rsocket.Payload{Data: fmt.Append(nil, i)}); err != nil {
				return err
			}
		}
		return errors.Join(ch.CloseSend(), errors.New("but"))
	}}, rsocket.Config{})
	p.write(setupFrame())
	for id := uint32(1); id < 40; id += 2 {
		p.write(frame.AppendRequestMany(nil, id, frame.TypeRequestChannel, 0, 100, nil, nil))
		var wants []string
		for i := range 20 {
			wants = append(wants, fmt.Sprintf("PAYLOAD %d N %d", id, i))
		}
		for _, want := range append(wants, fmt.Sprintf("PAYLOAD %d C", id), fmt.Sprintf("ERROR %d APPLICATION_ERROR but", id)) {
			got := p.read()
			if strings.HasPrefix(got, "REQUEST_N ") { // whenever it comes
				got = p.read()
			}
			if got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
}
