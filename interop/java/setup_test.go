package java

import (
	"errors"
	"fmt"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

func TestTheirSetupArrives(t *testing.T) {
	l := link{theirs: options{
		MetadataMIME: "application/x.metadata", DataMIME: "application/x.data",
		KeepAlive: 7_000, Lifetime: 70_000, Setup: &message{about("who"), "wants what"},
	}}
	_, ours, _ := l.javaDials(t)
	s := ours.conn.Setup()
	got := fmt.Sprint(s.MetadataMIME, " ", s.DataMIME, " ", s.KeepAlive, " ", s.Lifetime, " ", messageOf(s.Payload))
	if want := "application/x.metadata application/x.data 7s 1m10s wants what+who"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOurSetupArrives(t *testing.T) {
	l := link{setup: rsocket.Setup{
		MetadataMIME: "application/x.metadata", DataMIME: "application/x.data",
		Payload: payload(message{about("who"), "wants what"}),
	}}
	_, theirs, _ := l.weDial(t)
	wantEvents(t, theirs, "setup", "setup wants what+who")
	wantEvents(t, theirs, "mime", "mime application/x.data+application/x.metadata")
}

// rsocket-java's connect returns before it is refused; then its connection and
// every request on it end with the code and the words.
func TestWeRejectSetup(t *testing.T) {
	for name, c := range map[string]struct {
		reject error
		want   string
	}{
		"by any error":                {errors.New("not today"), "0x3 not today"},
		"by a code":                   {&rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: "not like this"}, "0x2 not like this"},
		"by a code, and without text": {&rsocket.Error{Code: frame.CodeInvalidSetup}, "0x1 "},
	} {
		t.Run(name, func(t *testing.T) {
			l := link{reject: c.reject}
			theirs := l.connect(t, cut.New(t, l.serve(t, nil)))
			wantClosed(t, theirs, c.want)
			want(t, theirs, "response", script{Data: "anybody?"}, ": error "+c.want)
		})
	}
}

// An acceptor of rsocket-java has no code of its own: it is always REJECTED_SETUP.
func TestTheyRejectSetup(t *testing.T) {
	ours, _, _ := link{theirs: options{Reject: "not today"}}.dial(t)
	wantClosed(t, ours, "0x3 not today")
	want(t, ours, "response", script{Data: "anybody?"}, ": error 0x3 not today")
	await.Until(t, "nothing is under way", func() bool { return ours.conn.InFlight() == 0 })
}

// wantClosed waits for an end to be over and compares why.
func wantClosed(t *testing.T, e end, why string) {
	t.Helper()
	if c := e.seen(t, "closed", 1)[0]; fmt.Sprintf("0x%X %s", c.Code, c.Text) != why {
		t.Errorf("closed: 0x%X %s, want %s", c.Code, c.Text, why)
	}
}
