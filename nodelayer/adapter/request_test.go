package adapter_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

func TestAnAdapterOffersItself(t *testing.T) {
	g := play(t, anyPort)
	start(t, cfgFor(text("hi"), g))
	got, err := protocol.ParseHello(protocol.MsgPack, g.line().conn.Setup().Payload.Data)
	if err != nil || got.Name != "tv" || got.Version != "2.0.0" || got.Protocol != protocol.Range ||
		len(got.Offers) != 1 || got.Offers["tv"] != "2.0.0" || len(got.Wants) != 0 {
		t.Errorf("the hello is %+v, %v", got, err)
	}
}

func TestTheHandlerSeesTheDeviceRequest(t *testing.T) {
	l := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s?%s %s q=%v accept=%q length=%d body=%q %v", r.Method, r.URL.Path, r.URL.RawQuery, r.RequestURI,
			r.URL.Query()["q"], r.Header.Values("Accept"), r.ContentLength, body, err)
	}))
	answer, _ := l.send(protocol.Metadata{}, protocol.DeviceRequest{
		Method: "POST", Path: "/a b/ü", Query: "q=1&q=%20x", Header: map[string][]string{"Accept": {"a", "b"}}, Body: []byte("\x00\xffhello"),
	})
	wantAnswer(t, "POST", answer, 200, `POST /a b/ü?q=1&q=%20x /a%20b/%C3%BC?q=1&q=%20x q=[1  x] accept=["a" "b"] length=7 body="\x00\xffhello" <nil>`)
	answer, _ = l.send(protocol.Metadata{}, protocol.DeviceRequest{Method: "GET", Path: "/"})
	wantAnswer(t, "GET", answer, 200, `GET /? / q=[] accept=[] length=0 body="" <nil>`)
}

func TestRoutesAreNetHTTPs(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /film/{id}", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Seen", "yes") // there is a header to write to, whatever came
		fmt.Fprintf(w, "film %s", r.PathValue("id"))
	})
	l := serve(t, mux)
	l.want("/film/7", 200, "film 7")
	l.want("/nothing", 404, "404 page not found")
	answer, _ := l.send(protocol.Metadata{}, protocol.DeviceRequest{Method: "PUT", Path: "/film/7"})
	wantAnswer(t, "PUT", answer, 405, "Method Not Allowed")
	if got := answer.Header["Allow"]; len(got) != 1 || got[0] != "GET, HEAD" {
		t.Errorf("Allow is %v", got)
	}
}

func TestTheContextCarriesPassportTraceAndDeadline(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	type seen struct {
		passport, trace string
		left            time.Duration
		bound           bool
	}
	requests := make(chan seen, 1)
	l := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadline, bound := r.Context().Deadline()
		requests <- seen{string(passport.FromContext(r.Context()).Sealed()), protocol.Traceparent(r.Context()), time.Until(deadline), bound}
	}))
	l.send(protocol.Metadata{Passport: []byte("sealed"), Traceparent: trace, Budget: time.Hour}, protocol.DeviceRequest{Method: "GET", Path: "/"})
	if got := <-requests; got.passport != "sealed" || got.trace != trace || !got.bound || got.left > time.Hour || got.left < time.Hour/2 {
		t.Errorf("got %+v", got)
	}
	l.send(protocol.Metadata{}, protocol.DeviceRequest{Method: "GET", Path: "/"})
	if got := <-requests; got.passport != "" || got.trace != "" || got.bound {
		t.Errorf("without: got %+v", got)
	}
}

func TestAChangedPassportTravelsBack(t *testing.T) {
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal(passport.Passport{Profile: "grown-up", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := keys.Change(sealed, "members@1.2.0", time.Now(), func(p *passport.Passport) { p.Profile = "kids" })
	if err != nil {
		t.Fatal(err)
	}
	l := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/change" {
			if err := passport.FromContext(r.Context()).Take(c.Sealed); err != nil { // as a conversation does
				t.Error(err)
			}
		}
	}))
	md := protocol.Metadata{Passport: sealed}
	if _, back := l.send(md, protocol.DeviceRequest{Method: "GET", Path: "/change"}); !bytes.Equal(back.Passport, c.Sealed) {
		t.Errorf("%q came back", back.Passport)
	}
	if _, back := l.send(md, protocol.DeviceRequest{Method: "GET", Path: "/"}); back.Passport != nil {
		t.Errorf("%q came back that nobody changed", back.Passport)
	}
}
