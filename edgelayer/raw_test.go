package edgelayer_test

import (
	"context"
	"errors"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// raw is a service whose method gives what it is given, and its codec.
func raw() edgelayer.Service {
	return edgelayer.Service{Name: "raw", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewRaw("same", "anything", func(_ context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error) {
			if len(args) == 0 {
				return codec.Marshal(codec.MIME())
			}
			return args, nil
		}, edgelayer.Reads()),
		edgelayer.NewRaw("never", `{"ids":[integer]}`, func(context.Context, protocol.Codec, protocol.Raw) (protocol.Raw, error) {
			return nil, edgelayer.WrongArguments(errors.New("ids is no list"))
		}),
	}}
}

func TestARawMethodTakesAndGivesWhatIsEncoded(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := offering(t, raw()).dialIn(codec, "")
		l.want("raw.same", "", `"`+codec.MIME()+`"`)
		l.want("raw.same", `{"a":[1,"x",null]}`, `{"a":[1,"x",null]}`)
		l.want("raw.never", `{"ids":1}`, `ERROR invalid_argument arguments of raw.never: ids is no list; expected {"ids":[integer]}`)
		c := l.converse(`[1,1,"raw.same",{"a":1}]`)
		c.want(`[3,1,{"a":1}]`)
		c.say(`[1,2,"raw.same",{"a":1}]`) // it reads, so it is not run again
		c.want(`[3,2,{"a":1},{"view":true}]`)
	})
}

// What is no encoding never gets to the method.
func TestARawMethodIsGivenWhatIsWellFormed(t *testing.T) {
	for codec, garbage := range map[protocol.Codec]string{protocol.MsgPack: "\xdd\xff\xff\xff\xff", protocol.JSON: `{"ids":`} {
		l := offering(t, raw()).dialIn(codec, "")
		md := protocol.Metadata{Route: "raw.same"}
		if got, _ := l.request(rsocket.Payload{Metadata: md.Append(nil), Data: []byte(garbage)}); got == garbage {
			t.Errorf("%s: the method was given %q", codec.MIME(), garbage)
		}
		l.wantClosed("CLOSED CONNECTION_ERROR malformed …")
	}
}
