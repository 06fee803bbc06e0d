package rsocketgo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// What a server may say to a client, and what rsocket-go by itself would make of it.

// rsocket-go panics: "unreachable".
func TestCancelOfAnOwnStreamIsNoPanic(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	ch := openChannel(t, c)
	p.want("REQUEST_CHANNEL 1 n=32 0")
	st, err := c.OpenStream(await.Context(t), rsocket.Payload{})
	if err != nil {
		t.Fatal(err)
	}
	p.want("REQUEST_STREAM 3 n=32")
	p.write(frame.AppendCancel(nil, 1), frame.AppendCancel(nil, 3))
	if err := ch.Send(await.Context(t), rsocket.Payload{}); !errors.Is(err, rsocket.ErrCanceled) {
		t.Errorf("Send: %v, want ErrCanceled", err)
	}
	p.write(item(1, "a"), item(3, "b"), frame.AppendPayload(nil, 1, frame.FlagComplete, nil, nil))
	if got, err := ch.Recv(await.Context(t)); err != nil || string(got.Data) != "a" {
		t.Errorf("the other half: %q, %v", got.Data, err)
	}
	if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Errorf("the other half's end: %v", err)
	}
	if got, err := st.Recv(await.Context(t)); err != nil || string(got.Data) != "b" {
		t.Errorf("the stream: %q, %v", got.Data, err)
	}
	p.alive(2)
}

// rsocket-go gives the second answer to whichever request has the first one's
// place by then.
func TestASecondAnswerIsIgnored(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	for i := range 50 {
		id := uint32(2*i + 1)
		result := make(chan error, 1)
		go func() {
			got, err := c.Call(await.Context(t), rsocket.Payload{})
			if err == nil && string(got.Data) != fmt.Sprint(id) {
				err = fmt.Errorf("got the answer to %s", got.Data)
			}
			result <- err
		}()
		p.want(fmt.Sprintf("REQUEST_RESPONSE %d", id))
		answer := frame.AppendPayload(nil, id, frame.FlagNext|frame.FlagComplete, nil, fmt.Append(nil, id))
		p.write(answer, answer, frame.AppendError(nil, id, frame.CodeInvalid, "no"), answer)
		if err := await.Value(t, "the answer", result); err != nil {
			t.Fatal(err)
		}
	}
	p.alive(2)
}

func TestAnAnswerToWhatWasNotAskedIsIgnored(t *testing.T) {
	for range 20 {
		c, p := rawServer(t, echo, rsocket.Config{})
		p.write(frame.AppendError(nil, 1, frame.CodeInvalid, "no"), item(3, "no"), frame.AppendCancel(nil, 3), frame.AppendKeepAlive(nil, true, 0, nil))
		result := make(chan error, 1)
		go func() { _, err := c.Call(await.Context(t), rsocket.Payload{}); result <- err }()
		for range 2 { // the request, and KEEPALIVE
			p.read()
		}
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagComplete, nil, nil))
		if err := await.Value(t, "the answer", result); err != nil && err.Error() != "rsocket: peer: INVALID: no" {
			t.Fatal(err)
		}
	}
}

// rsocket-go sends no CANCEL and keeps a goroutine for good.
func TestAnAbandonedRequestLeavesNothing(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	abandon := func(id uint32) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() { _, err := c.Call(ctx, rsocket.Payload{}); result <- err }()
		p.want(fmt.Sprintf("REQUEST_RESPONSE %d", id))
		cancel()
		if err := await.Value(t, "the call", result); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		p.want(fmt.Sprintf("CANCEL %d", id))
		p.write(frame.AppendPayload(nil, id, frame.FlagNext|frame.FlagComplete, nil, []byte("late")))
	}
	abandon(1)
	before := runtime.NumGoroutine()
	for i := range 200 {
		abandon(uint32(2*i + 3))
	}
	await.Until(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+2 })
	if n := c.InFlight(); n != 0 {
		t.Errorf("%d in flight", n)
	}
	p.alive(2)
}

// rsocket-go forgets a channel, and the credit for it, when the responder's half
// is complete.
func TestCreditStillComesBehindTheRespondersEnd(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	ch := openChannel(t, c)
	p.want("REQUEST_CHANNEL 1 n=32 0")
	p.write(frame.AppendPayload(nil, 1, frame.FlagComplete, nil, nil))
	if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	p.write(frame.AppendRequestN(nil, 1, frame.MaxCredit), frame.AppendRequestN(nil, 1, frame.MaxCredit))
	for range 3 {
		if err := ch.Send(await.Context(t), rsocket.Payload{Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		p.want("PAYLOAD 1 N x")
	}
	if err := ch.CloseSend(); err != nil {
		t.Error(err)
	}
	p.want("PAYLOAD 1 C")
	await.Until(t, "nothing is in flight", func() bool { return c.InFlight() == 0 })
}

// rsocket-go holds 256 of them, and then no stream of the connection goes on.
func TestItemsWithoutCreditEndTheStream(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{Window: 4})
	ch := openChannel(t, c)
	p.want("REQUEST_CHANNEL 1 n=4 0")
	for i := range 300 {
		p.write(item(1, fmt.Sprint(i)))
	}
	p.want("CANCEL 1")
	e, ok := errors.AsType[*rsocket.Error](ch.Send(await.Context(t), rsocket.Payload{}))
	if !ok || e.Code != frame.CodeInvalid || e.Remote {
		t.Errorf("got %v", e)
	}
	p.alive(2)
}

func TestUnreadItemsAreBounded(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{MaxUnread: 100})
	for id := range 3 {
		ch := openChannel(t, c)
		id := uint32(2*id + 1)
		p.want(fmt.Sprintf("REQUEST_CHANNEL %d n=32 0", id))
		p.write(item(id, string(make([]byte, 60))), item(id, string(make([]byte, 60))))
		p.want(fmt.Sprintf("CANCEL %d", id)) // the first is given back each time
		e, ok := errors.AsType[*rsocket.Error](ch.Send(await.Context(t), rsocket.Payload{}))
		if !ok || e.Code != frame.CodeCanceled {
			t.Errorf("got %v", e)
		}
		ch.Cancel()
	}
	p.alive(2)
}

// rsocket-go ends the connection.
func TestAServerThatDrainsLetsRequestsFinish(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	result := make(chan error, 1)
	go func() { _, err := c.Call(await.Context(t), rsocket.Payload{}); result <- err }()
	p.want("REQUEST_RESPONSE 1")
	p.write(frame.AppendError(nil, 0, frame.CodeConnectionClose, "bye"), request(2, "x"))
	p.want("ERROR 2 REJECTED the connection is closing")
	p.write(frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagComplete, nil, nil))
	if err := await.Value(t, "the answer", result); err != nil {
		t.Error(err)
	}
	await.Value(t, "the end", c.Done())
	p.want("EOF")
}

func TestFramesThatEndAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		want  string
	}{
		"a false metadata length": {
			edited(frame.AppendPayload(nil, 1, frame.FlagNext, []byte("m"), nil), 6, 0xFF),
			"PAYLOAD frame: metadata length 16711681 runs past the 1 bytes that are left",
		},
		"half a header":              {[]byte{0, 0, 0, 1}, "frame: 4 bytes where the header alone takes 6"},
		"a request on stream 0":      {request(0, ""), "REQUEST_RESPONSE on stream 0"},
		"a request on a client's id": {request(1, ""), "REQUEST_RESPONSE on stream 1: that half of the ids is this side's"},
		"no credit":                  {edited(frame.AppendRequestN(nil, 1, 1), 9, 0), "REQUEST_N frame: request n is 0, expected 1 to 2^31-1"},
		"KEEPALIVE on a stream":      {edited(frame.AppendKeepAlive(nil, true, 0, nil), 3, 1), "KEEPALIVE on stream 1, expected stream 0"},
		"an unknown type":            {[]byte{0, 0, 0, 0, 0x30 << 2, 0}, "type 0x30 is not known and may not be ignored"},
		"RESUME":                     {frame.AppendResume(nil, frame.Resume{Token: []byte("t")}), "RESUME after SETUP"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, p := rawServer(t, echo, rsocket.Config{})
			p.write(c.frame)
			if got, want := p.read(), "ERROR 0 CONNECTION_ERROR "+c.want; got != want && got != "ERROR 0 CONNECTION_ERROR type 0x00 "+c.want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			_ = p.nc.Close()
			await.Value(t, "the end", conn.Done())
			if err := conn.Err(); !errors.Is(err, rsocket.ErrClosed) {
				t.Errorf("Err is %v", err)
			}
		})
	}
}

func TestFramesThatAreIgnored(t *testing.T) {
	_, p := rawServer(t, echo, rsocket.Config{})
	p.write(
		frame.AppendPayload(nil, 1, frame.FlagNext, nil, nil), frame.AppendCancel(nil, 1), frame.AppendRequestN(nil, 1, 1),
		frame.AppendError(nil, 1, frame.CodeInvalid, ""), frame.AppendError(nil, 0, frame.CodeInvalid, ""), // no stream, no connection error
		frame.AppendCancel(nil, 0), frame.AppendPayload(nil, 0, frame.FlagNext, nil, nil),
		frame.AppendLease(nil, 1, 1), setupFrame(), frame.AppendResumeOK(nil, 1),
		edited(frame.AppendMetadataPush(nil, []byte("m")), 3, 2),
		[]byte{0, 0, 0, 0, 0x30<<2 | 2, 0}, // an unknown type with the Ignore flag
	)
	p.write(frame.AppendKeepAlive(nil, true, 7, []byte("echo")))
	p.want("KEEPALIVE 0 echo")
	p.alive(2)
}

// rsocket-go sends its first KEEPALIVE beside SETUP, and possibly before it.
func TestAClientShowsThatItLives(t *testing.T) {
	for range 20 {
		_, p := rawServerFor(t, rsocket.Setup{KeepAlive: time.Millisecond, Lifetime: time.Hour}, echo, rsocket.Config{})
		p.want("KEEPALIVE 0", "KEEPALIVE 0")
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	c, p := rawServerFor(t, rsocket.Setup{KeepAlive: 30 * time.Millisecond, Lifetime: 30 * time.Millisecond}, echo, rsocket.Config{})
	for got := "KEEPALIVE 0"; got != "ERROR 0 CONNECTION_ERROR no frame for 30ms, the lifetime of the connection"; got = p.read() {
		if got != "KEEPALIVE 0" {
			t.Fatal(got)
		}
	}
	_ = p.nc.Close()
	await.Value(t, "the end", c.Done())
	if e, ok := errors.AsType[*rsocket.Error](c.Err()); !ok || e.Code != frame.CodeConnectionError || e.Remote || !errors.Is(e, rsocket.ErrClosed) {
		t.Errorf("Err is %v", c.Err())
	}
}
