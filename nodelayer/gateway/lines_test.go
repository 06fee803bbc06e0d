package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// byHand opens a line as an adapter that is played by hand.
func (g *site) byHand(codec protocol.Codec, hello string, h rsocket.Handler) *rsocket.Conn {
	g.t.Helper()
	return g.setup(rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: codec.MIME(), Payload: rsocket.Payload{Data: []byte(hello)}}, h)
}

func (g *site) setup(setup rsocket.Setup, h rsocket.Handler) *rsocket.Conn {
	g.t.Helper()
	conn, err := rsocket.Dial(await.Context(g.t), g.addr, setup, h, rsocket.Config{})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAnAdapterThatSaysHelloBadlyIsRefused(t *testing.T) {
	const expected = `: expected a name of lower-case letters, digits and '-', and a version such as 2.1.3"}`
	g := start(t, gateway.Config{}).telling("phone@1.0.0")
	for what, tc := range map[string]struct {
		hello string
		code  rsocket.Code
		text  string
	}{
		"no hello":         {``, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"a line to a gateway offers one adapter, this one offers 0"}`},
		"no offer":         {`{"name":"tv"}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"a line to a gateway offers one adapter, this one offers 0"}`},
		"two offers":       {`{"offers":{"tv":"2.0.0","tw":"1.0.0"}}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"a line to a gateway offers one adapter, this one offers 2"}`},
		"a bad version":    {`{"offers":{"tv":"2"}}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"offers \"tv\" \"2\"` + expected},
		"no version":       {`{"offers":{"tv":""}}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"offers \"tv\" \"\"` + expected},
		"a bad name":       {`{"offers":{"TV":"2.0.0"}}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"offers \"TV\" \"2.0.0\"` + expected},
		"a path as a name": {`{"offers":{"tv/../x":"2.0.0"}}`, frame.CodeRejectedSetup, `{"code":"invalid_argument","message":"offers \"tv/../x\" \"2.0.0\"` + expected},
		"another protocol": {`{"protocol":"^2","offers":{"tv":"2.0.0"}}`, frame.CodeRejectedSetup, `{"code":"unsatisfied","message":"wants warmline ^2, offered: 1.0.0",…`},
		"no JSON":          {`{"offers":`, frame.CodeInvalidSetup, `SETUP data: …`},
		"another shape":    {`{"offers":["tv"]}`, frame.CodeInvalidSetup, `SETUP data: …`},
	} {
		t.Run(what, func(t *testing.T) {
			wantRefused(t, g.byHand(protocol.JSON, tc.hello, rsocket.Handler{}), tc.code, tc.text)
		})
	}
	wantRefused(t, g.byHand(protocol.MsgPack, "\xdd\xff\xff\xff\xff", rsocket.Handler{}), frame.CodeInvalidSetup, "SETUP data: malformed …")
	wantRefused(t, g.setup(rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: "text/plain"}, rsocket.Handler{}),
		frame.CodeUnsupportedSetup, `data MIME type "text/plain": expected …`)
	wantRefused(t, g.setup(rsocket.Setup{MetadataMIME: "text/plain", DataMIME: protocol.MIMEJSON}, rsocket.Handler{}),
		frame.CodeUnsupportedSetup, `metadata MIME type "text/plain": expected …`)
	g.want("/", 200, `{"adapters":{"phone":["1.0.0"]}}`)
}

func wantRefused(t testing.TB, conn *rsocket.Conn, code rsocket.Code, text string) {
	t.Helper()
	await.Value(t, "the line to end", conn.Done())
	e, ok := errors.AsType[*rsocket.Error](conn.Err())
	if !ok || !e.Remote || !e.Conn || e.Code != code || !wildcard.Match(e.Message, text) {
		t.Errorf("\n got %v\nwant %s %s", conn.Err(), code, text)
	}
}

func TestAnAdapterMayBeAnyRSocketPeer(t *testing.T) {
	g := start(t, gateway.Config{Name: "east", Version: "3.2.1"})
	requests := make(chan string, 1)
	conn := g.byHand(protocol.JSON, `{"offers":{"tv":"2.0.0"}}`, rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		requests <- string(p.Data)
		return rsocket.Payload{Data: []byte(`{"status":202,"header":{"x-own":["1"]},"body":"aGVsbG8=","new":true}`)}, nil
	}})
	reply, err := conn.Call(await.Context(t), rsocket.Payload{Metadata: (&protocol.Metadata{Route: protocol.RouteSetup}).Append(nil)})
	if want := `{"name":"east","version":"3.2.1","protocol":"1.0.0","resolved":{}}`; err != nil || string(reply.Data) != want {
		t.Errorf("warmline.setup answers %s, %v", reply.Data, err)
	}
	_, err = conn.Call(await.Context(t), rsocket.Payload{Metadata: (&protocol.Metadata{Route: "members.who"}).Append(nil)})
	if e := protocol.AsError(err); e == nil || e.Code != protocol.UnknownMethod || e.Message != "a gateway answers warmline.setup" {
		t.Errorf("another route: %v", err)
	}
	r := g.request(await.Context(t), "PUT", "/tv/films/7?deep=1", strings.NewReader("body"))
	r.Header.Set("User-Agent", "a device")
	got := g.must(r)
	got.want(t, "PUT", 202, "hello")
	if got.header.Get("X-Own") != "1" {
		t.Errorf("the headers are %v", got.header)
	}
	if got, want := <-requests, `{"method":"PUT","path":"/films/7","query":"deep=1","header":{"User-Agent":["a device"]},"body":"Ym9keQ=="}`; got != want {
		t.Errorf("the adapter saw\n got %s\nwant %s", got, want)
	}
}

func TestAnAdapterThatAnswersNonsenseIsA500(t *testing.T) {
	const unreadable = `{"error":{"code":"internal","message":"adapter tv@2.0.0 answered what can't be read"}}`
	falseLength := []byte("\x05x/pass\xff\xff\xff?")
	for what, tc := range map[string]struct {
		reply rsocket.Payload
		err   error
		body  string
	}{
		"a bomb":          {rsocket.Payload{Data: []byte("\xdd\xff\xff\xff\xff")}, nil, unreadable},
		"nothing":         {rsocket.Payload{}, nil, unreadable},
		"no status":       {rsocket.Payload{Data: []byte("\x80")}, nil, unreadable},
		"status 99":       {rsocket.Payload{Data: []byte("\x81\xa6status\x63")}, nil, unreadable},
		"status 101":      {rsocket.Payload{Data: []byte("\x81\xa6status\x65")}, nil, unreadable},
		"status 600":      {rsocket.Payload{Data: []byte("\x81\xa6status\xcd\x02\x58")}, nil, unreadable},
		"status -1":       {rsocket.Payload{Data: []byte("\x81\xa6status\xff")}, nil, unreadable},
		"false metadata":  {rsocket.Payload{Metadata: falseLength, Data: []byte("\x81\xa6status\xcc\xc8")}, nil, unreadable},
		"another shape":   {rsocket.Payload{Data: []byte("\xa2ok")}, nil, unreadable},
		"a plain error":   {rsocket.Payload{}, errors.New("it broke"), `{"error":{"code":"internal","message":"it broke"}}`},
		"an unknown code": {rsocket.Payload{}, &rsocket.Error{Code: 0x7777, Message: "?"}, `{"error":{"code":"unknown","message":"?"}}`},
	} {
		t.Run(what, func(t *testing.T) {
			g := start(t, gateway.Config{}).telling("phone@1.0.0")
			conn := g.byHand(protocol.MsgPack, "\x81\xa6offers\x81\xa2tv\xa52.0.0", rsocket.Handler{
				Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) { return tc.reply, tc.err },
			})
			if _, err := conn.Call(await.Context(t), rsocket.Payload{Metadata: (&protocol.Metadata{Route: protocol.RouteSetup}).Append(nil)}); err != nil {
				t.Fatal(err)
			}
			g.want("/tv/home", 500, tc.body)
			g.want("/phone/home", 200, "phone@1.0.0 /home")
		})
	}
}

func TestAnAdapterThatGivesUpIsUnavailable(t *testing.T) {
	g := start(t, gateway.Config{})
	conn := g.byHand(protocol.JSON, `{"offers":{"tv":"2.0.0"}}`, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
		return rsocket.Payload{}, &rsocket.Error{Code: frame.CodeCanceled, Message: "no longer"}
	}})
	if _, err := conn.Call(await.Context(t), rsocket.Payload{Metadata: (&protocol.Metadata{Route: protocol.RouteSetup}).Append(nil)}); err != nil {
		t.Fatal(err)
	}
	got := g.want("/tv/home", 503, `{"error":{"code":"unavailable","message":"adapter tv@2.0.0 gave up"}}`)
	if got.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
}

func TestARequestThatAnAdapterRefusesBecauseItIsGoingIsGivenToAnother(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@1.0.0")
	var conn *rsocket.Conn
	ready, down := make(chan struct{}), make(chan error, 1)
	conn = g.byHand(protocol.JSON, `{"offers":{"tv":"2.0.0"}}`, rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
		<-ready
		go func() { down <- conn.Shutdown(context.Background()) }()
		await.Until(t, "the gateway hears that the adapter is going", func() bool { return len(g.Adapters()["tv"]) == 1 })
		return rsocket.Payload{}, &rsocket.Error{Code: frame.CodeRejected, Message: "going"}
	}})
	close(ready)
	if _, err := conn.Call(await.Context(t), rsocket.Payload{Metadata: (&protocol.Metadata{Route: protocol.RouteSetup}).Append(nil)}); err != nil {
		t.Fatal(err)
	}
	g.want("/tv/home", 200, "tv@1.0.0 /home")
	if err := await.Value(t, "the adapter has gone", down); err != nil {
		t.Error(err)
	}
	g.requests(1)
}

func TestMetadataOfAFalseLengthIsAnError(t *testing.T) {
	g := start(t, gateway.Config{})
	conn := g.byHand(protocol.JSON, `{"offers":{"tv":"2.0.0"}}`, rsocket.Handler{})
	_, err := conn.Call(await.Context(t), rsocket.Payload{Metadata: []byte("\x05x/pass\xff\xff\xff?")})
	if e := protocol.AsError(err); e == nil || e.Code != protocol.InvalidArgument {
		t.Errorf("got %v", err)
	}
}

func TestShutdownEndsTheLines(t *testing.T) {
	g, waiting := start(t, gateway.Config{}), newGate()
	g.offer("tv@2.0.0", waiting)
	conn := g.byHand(protocol.JSON, `{"offers":{"phone":"1.0.0"}}`, rsocket.Handler{})
	last := g.later("/tv/home")
	await.Value(t, "the request", waiting.entered)
	down := make(chan error, 1)
	go func() { down <- g.Shutdown(await.Context(t)) }()
	await.Value(t, "an idle line to end", conn.Done())
	await.Until(t, "new requests to find nobody", func() bool { return g.get("/tv/home").status == http.StatusNotFound })
	close(waiting.door)
	await.Value(t, "the answer", last).want(t, "the request under way", 200, "done")
	if err := await.Value(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	await.Until(t, "the table to be empty", func() bool { return len(g.Adapters()) == 0 })
}
