package edgelayer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// rows is a service that gives its results in parts. gave is told each part that
// was taken, and ended why a run ended.
func rows() (service edgelayer.Service, gave chan int, ended chan error) {
	gave, ended = make(chan int, 1000), make(chan error, 10)
	return edgelayer.Service{Name: "rows", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewStream("count", func(_ context.Context, in number, yield func(number) error) (err error) {
			defer func() { ended <- err }()
			for i := range in.N {
				if err := yield(number{i}); err != nil {
					return err
				}
				gave <- i
			}
			return nil
		}, edgelayer.Reads()),
		edgelayer.NewStream("breaks", func(_ context.Context, _ struct{}, yield func(number) error) error {
			if err := yield(number{1}); err != nil {
				return err
			}
			return protocol.Errorf(protocol.Unavailable, "the source ended")
		}),
	}}, gave, ended
}

func TestPartsAreTakenAsTheAdapterTakesThem(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		service, gave, ended := rows()
		c := offering(t, service, echo()).dialIn(codec, "").converse(`[1,1,"rows.count",{"n":5},{"parts":2}]`)
		c.want(`[5,1,{"n":0}]`)
		c.want(`[5,1,{"n":1}]`)
		await.Value(t, "a part to be taken", gave)
		await.Value(t, "a part to be taken", gave)
		c.say(`[1,2,"echo.say",{"text":"not behind the parts"}]`)
		c.want(`[3,2,{"text":"not behind the parts"}]`)
		if len(gave) > 0 {
			t.Error("the method goes on though nobody takes more")
		}
		c.say(`[7,1,1]`, `[7,99,1]`)
		c.want(`[5,1,{"n":2}]`)
		c.say(`[7,1,4294967295]`, `[7,1,4294967295]`)
		c.want(`[5,1,{"n":3}]`)
		c.want(`[5,1,{"n":4}]`)
		c.want(`[3,1,null]`)
		if err := await.Value(t, "the end", ended); err != nil {
			t.Error(err)
		}
	})
}

func TestAStreamThatIsGivenUp(t *testing.T) {
	service, _, ended := rows()
	e := offering(t, service)
	c := e.dial("").converse(`[1,1,"rows.count",{"n":5},{"parts":1}]`)
	c.want(`[5,1,{"n":0}]`)
	c.say(`[2,1]`)
	if err := await.Value(t, "the end", ended); !errors.Is(err, canceled) {
		t.Errorf("yield failed with %v, want canceled", err)
	}
	c = e.dial("").converse(`[1,1,"rows.count",{"n":5},{"parts":1}]`)
	c.want(`[5,1,{"n":0}]`)
	c.ch.Cancel()
	if err := await.Value(t, "the end", ended); !errors.Is(err, canceled) {
		t.Errorf("yield failed with %v, want canceled", err)
	}
}

func TestPartsAndResultsAreAskedForAsWhatTheyAre(t *testing.T) {
	service, _, _ := rows()
	c := offering(t, service, echo()).dial("").converse(`[1,1,"rows.count",{"n":1}]`)
	c.want(`[4,1,"invalid_argument","rows.count gives parts: say how many are taken",false]`)
	c.say(`[1,2,"echo.say",null,{"parts":1}]`)
	c.want(`[4,2,"invalid_argument","echo.say gives one result, and no parts",false]`)
}

func TestAStreamThatBreaksOff(t *testing.T) {
	service, _, _ := rows()
	c := offering(t, service, echo()).dial("").converse(`[1,1,"rows.breaks",null,{"parts":9,"keep":true}]`)
	c.want(`[5,1,{"n":1}]`)
	c.want(`[4,1,"unavailable","the source ended",false]`)
	c.say(`[1,2,"echo.say",{},{"after":[1]}]`)
	c.want(`[4,2,"unresolved","call 1 (rows.breaks) failed: unavailable: the source ended",false]`)
}

func TestASingleStreamIsARequestStream(t *testing.T) {
	service, gave, ended := rows()
	e := offering(t, service, echo())
	l := e.dialBy(rsocket.Config{Window: 2})
	open := func(route, args string) rsocket.Channel {
		md := protocol.Metadata{Route: route}
		ch, err := l.conn.OpenStream(await.Context(t), rsocket.Payload{Metadata: md.Append(nil), Data: l.encode(args)})
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
	recv := func(ch rsocket.Channel) string {
		p, err := ch.Recv(await.Context(t))
		if err != nil {
			return words(err)
		}
		return fmt.Sprint(l.decode(p.Data))
	}
	ch := open("rows.count", `{"n":4}`)
	await.Until(t, "two parts to be sent", func() bool { return len(gave) == 2 })
	for i := range 4 {
		if got := recv(ch); got != fmt.Sprintf(`[{"n":%d}]`, i) {
			t.Errorf("part %d: %s", i, got)
		}
	}
	if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	await.Value(t, "the end", ended)
	ch = open("rows.count", `{"n":4}`)
	recv(ch)
	ch.Cancel()
	if err := await.Value(t, "the end", ended); err == nil {
		t.Error("a stream that was cancelled ended well")
	}
	for route, want := range map[string]string{
		"rows.breaks":  `[{"n":1}] ERROR unavailable the source ended`,
		"rows.nothing": "ERROR unknown_method …",
		"echo.say":     "ERROR invalid_argument echo.say gives one result (REQUEST_RESPONSE): ask for it so, or in a conversation",
	} {
		ch := open(route, `{}`)
		got := recv(ch)
		if route == "rows.breaks" {
			got += " " + recv(ch)
		}
		if !wildcard.Match(got, want) {
			t.Errorf("%s: got %s, want %s", route, got, want)
		}
	}
	l.want("rows.count", `{"n":1}`, "ERROR invalid_argument rows.count gives parts (REQUEST_STREAM): ask for it so, or in a conversation")
}
