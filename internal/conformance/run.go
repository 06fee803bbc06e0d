package conformance

import (
	"context"
	"testing"

	"warmline.dev/protocol/rsocket"
)

// End is one end of a connection.
type End interface {
	rsocket.Requester
	Setup() rsocket.Setup
	Context() context.Context
	Done() <-chan struct{}
	Err() error
	Draining() bool
	Shutdown(ctx context.Context) error
	Close() error
}

var _ End = (*rsocket.Conn)(nil)

// Options are what a test wants of a connection.
type Options struct {
	Setup         rsocket.Setup   // what the client declares
	Asks, Answers rsocket.Handler // what the two ends answer
	Config        rsocket.Config  // of both; only Window, MaxPayload and MaxUnread are ever set

	// Refuse is what the server refuses the connection with, if not nil.
	Refuse error
}

// Connect makes a connection of which one end is to ask and the other to answer;
// a test's cleanup closes both. When the connection is to be refused, the
// server's end is nil.
type Connect func(t *testing.T, o Options) (asks, answers End)

// Case is one thing that users rely on.
type Case struct {
	Name string
	Run  func(t *testing.T, connect Connect)
}

// Run runs every case. One of lesser takes the place of the case of its name: it
// asserts what happens instead, where something can't be had.
func Run(t *testing.T, connect Connect, lesser ...Case) {
	instead := map[string]Case{}
	for _, c := range lesser {
		instead[c.Name] = c
	}
	for _, c := range cases() {
		if l, ok := instead[c.Name]; ok {
			c = l
			delete(instead, c.Name)
		}
		t.Run(c.Name, func(t *testing.T) { c.Run(t, connect) })
	}
	for name := range instead {
		t.Errorf("%q is no case", name)
	}
}

func cases() []Case {
	var all []Case
	for _, group := range [][]Case{responseCases, streamCases, channelCases, cancelCases, endCases, setupCases} {
		all = append(all, group...)
	}
	return all
}
