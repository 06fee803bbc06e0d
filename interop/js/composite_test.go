package js

import (
	"encoding/json"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// entry is one piece of composite metadata as the programs read and write it.
type entry struct {
	Routes   []string `json:"routes,omitempty"`
	User     string   `json:"user,omitempty"`
	Password string   `json:"password,omitempty"`
	Token    string   `json:"token,omitempty"`
	Auth     string   `json:"auth,omitempty"` // of another type
	MIME     string   `json:"mime,omitempty"`
	Known    int      `json:"known,omitempty"` // a MIME type by its id
	Data     string   `json:"data"`
}

var entries = []entry{
	{Routes: []string{"shop.prices", "second"}},
	{User: "ann", Password: "secret"},
	{Token: "a.b.c"},
	{Auth: "x-own", Data: "credentials"},
	{MIME: "application/x.custom", Data: "custom"},
	{MIME: "x"},
}

func TestWeReadTheirCompositeMetadata(t *testing.T) {
	known := []entry{{Known: 0x05, Data: "{}"}, {Known: 0x50, Data: "reserved"}}
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "composed", options{"entries": append(known, entries...)})
		got := read(t, await.Value(t, "the request", p.forgot).Metadata)
		want(t, got, append([]entry{{MIME: "application/json", Data: "{}"}, {MIME: "0x50", Data: "reserved"}}, entries...))
	})
}

// read takes composite metadata apart by our codecs.
func read(t *testing.T, metadata string) (list []entry) {
	t.Helper()
	for e, err := range composite.All([]byte(metadata)) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.MIME {
		case composite.Routing:
			var routes []string
			for tag, err := range composite.Tags(e.Data) {
				if err != nil {
					t.Fatal(err)
				}
				routes = append(routes, string(tag))
			}
			list = append(list, entry{Routes: routes})
		case composite.Authentication:
			list = append(list, credentials(t, e.Data))
		default:
			list = append(list, entry{MIME: e.MIME, Data: string(e.Data)})
		}
	}
	return list
}

func credentials(t *testing.T, data []byte) entry {
	t.Helper()
	a, err := composite.ParseAuth(data)
	if err != nil {
		t.Fatal(err)
	}
	switch a.Type {
	case composite.Simple:
		return entry{User: string(a.Username), Password: string(a.Password)}
	case composite.Bearer:
		return entry{Token: string(a.Token)}
	}
	return entry{Auth: a.Type, Data: string(a.Payload)}
}

func TestTheyReadOurCompositeMetadata(t *testing.T) {
	metadata := write(t)
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{setup: rsocket.Setup{MetadataMIME: composite.MIME}})
		reply, err := p.conn.Call(t.Context(), message{"decompose", string(metadata)}.payload())
		if err != nil {
			t.Fatal(err)
		}
		var got []entry
		if err := json.Unmarshal(reply.Data, &got); err != nil {
			t.Fatalf("%v: %s", err, reply.Data)
		}
		want(t, got, append([]entry{{MIME: "application/json", Data: "{}"}}, entries...))
	})
}

// write puts what entries are together by our codecs.
func write(t *testing.T) []byte {
	t.Helper()
	b := composite.Append(nil, "application/json", []byte("{}"))
	for _, add := range []func([]byte) ([]byte, error){
		func(b []byte) ([]byte, error) { return composite.AppendTags(b, "shop.prices", "second") },
		func(b []byte) ([]byte, error) { return composite.AppendSimple(b, "ann", "secret") },
		func(b []byte) ([]byte, error) { return composite.AppendBearer(b, "a.b.c") },
		func(b []byte) ([]byte, error) { return composite.AppendAuth(b, "x-own", []byte("credentials")) },
	} {
		var err error
		if b, err = add(b); err != nil {
			t.Fatal(err)
		}
	}
	b = composite.Append(b, "application/x.custom", []byte("custom"))
	return composite.Append(b, "x", nil)
}

// Package rsocket-messaging routes by composite metadata.
func TestTheyRoute(t *testing.T) {
	p := dial(t, alpha3, terms{theirs: options{"routes": true}}, nil)
	ask := func(route string) (rsocket.Payload, error) {
		return p.conn.Call(t.Context(), rsocket.Payload{Metadata: composite.AppendRoute(nil, route), Data: []byte("tea")})
	}
	reply, err := ask("shop.prices")
	if err != nil || string(reply.Data) != "the price of tea" {
		t.Errorf("got %q, %v", reply.Data, err)
	}
	_, err = ask("shop.nothing")
	want(t, remote(err), failure{uint32(frame.CodeApplication), "Route not found"})
}

func TestWeRoute(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			o := options{"route": "note", "token": "a.b.c", "data": "note"}
			p := theyAsk(t, alpha3, theyDial, terms{}, "routed", o)
			got := read(t, await.Value(t, "the request", p.forgot).Metadata)
			want(t, got, []entry{{Routes: []string{"note"}}, {Token: "a.b.c"}})
			want(t, p.result().Replies, replies(message{Data: "note"}))
		})
	}
}
