package java

import (
	"encoding/json"
	"reflect"
	"testing"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// entry is one piece of composite metadata, as Entries.java lists it.
type entry struct {
	MIME     string   `json:"mime"`
	Tags     []string `json:"tags,omitempty"`
	Bearer   string   `json:"bearer,omitempty"`
	User     string   `json:"user,omitempty"`
	Password string   `json:"password,omitempty"`
	MIMEs    []string `json:"mimes,omitempty"`
	Text     string   `json:"text,omitempty"`
}

var allEntries = []entry{
	{MIME: composite.Routing, Tags: []string{"profiles.get", "second", "dritter – ü"}},
	{MIME: composite.Authentication, Bearer: "a.b.c"},
	{MIME: composite.Authentication, User: "who", Password: "wörd"},
	{MIME: composite.MIMEType, MIMEs: []string{"application/json"}},
	{MIME: composite.AcceptMIMEs, MIMEs: []string{"application/cbor", "application/x.own"}},
	{MIME: "application/json", Text: `{"well":"known"}`},
	{MIME: "application/x.own", Text: "not known"},
	{MIME: "traceparent", Text: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	{MIME: "x", Text: ""},
}

// Composite metadata with routing, authentication and MIME types: what either
// library wrote the other one reads.
func TestEntries(t *testing.T) {
	l := link{
		setup:  rsocket.Setup{MetadataMIME: composite.MIME},
		theirs: options{MetadataMIME: composite.MIME},
	}
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		a := run(t, asks, "response", script{Data: "entries", Composite: allEntries})
		if a.End != "complete" {
			t.Fatal(a)
		}
		var got []entry
		if err := json.Unmarshal([]byte(a.Items[0].Data), &got); err != nil {
			t.Fatalf("%v: %s", err, a)
		}
		if !reflect.DeepEqual(got, allEntries) {
			t.Errorf("got %+v\nwant %+v", got, allEntries)
		}
	})
}

func writeEntries(entries []entry) ([]byte, error) {
	var b []byte
	var err error
	for _, e := range entries {
		switch {
		case e.MIME == composite.Routing:
			b, err = composite.AppendTags(b, e.Tags...)
		case e.Bearer != "":
			b, err = composite.AppendBearer(b, e.Bearer)
		case e.User != "":
			b, err = composite.AppendSimple(b, e.User, e.Password)
		case e.MIME == composite.MIMEType:
			b, err = composite.AppendDataMIME(b, e.MIMEs[0])
		case e.MIME == composite.AcceptMIMEs:
			b, err = composite.AppendAcceptedMIMEs(b, e.MIMEs...)
		default:
			b = composite.Append(b, e.MIME, []byte(e.Text))
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readEntries answers with a list of the request's entries.
func readEntries(p rsocket.Payload) (rsocket.Payload, error) {
	var all []entry
	for raw, err := range composite.All(p.Metadata) {
		if err != nil {
			return rsocket.Payload{}, err
		}
		e, err := readEntry(raw)
		if err != nil {
			return rsocket.Payload{}, err
		}
		all = append(all, e)
	}
	data, err := json.Marshal(all)
	return rsocket.Payload{Data: data}, err
}

func readEntry(raw composite.Entry) (e entry, err error) {
	e.MIME = raw.MIME
	switch raw.MIME {
	case composite.Routing:
		for tag, err := range composite.Tags(raw.Data) {
			if err != nil {
				return e, err
			}
			e.Tags = append(e.Tags, string(tag))
		}
	case composite.Authentication:
		auth, err := composite.ParseAuth(raw.Data)
		if err != nil {
			return e, err
		}
		e.Bearer, e.User, e.Password = string(auth.Token), string(auth.Username), string(auth.Password)
	case composite.MIMEType:
		mime, err := composite.DataMIME(raw.Data)
		e.MIMEs = []string{mime}
		return e, err
	case composite.AcceptMIMEs:
		for mime, err := range composite.AcceptedMIMEs(raw.Data) {
			if err != nil {
				return e, err
			}
			e.MIMEs = append(e.MIMEs, mime)
		}
	default:
		e.Text = string(raw.Data)
	}
	return e, nil
}
