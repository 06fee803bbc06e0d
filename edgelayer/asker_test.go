package edgelayer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/bench/harness"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// askerCommand is the first argument of an asker: an adapter in a process of its
// own, so that the processor time of the test's process is the edge's alone.
const askerCommand = "asker"

// asking is what an asker asks.
type asking struct {
	method        string // its arguments are {"id": 0 to askedIDs-1}
	conversations int    // open at once
	calls         int    // of each of them
	inFlight      int    // of these
}

// askedIDs is how many different questions there are; a conversation that has
// fewer calls asks none twice.
const askedIDs = 4096

// startAsker starts an asker whose line to an edge is open.
func startAsker(b *testing.B, e *edge, a asking) *harness.Process {
	b.Helper()
	p, err := harness.Start(context.Background(), askerCommand, askerCommand, e.addr, a.method, strconv.Itoa(a.conversations), strconv.Itoa(a.calls), strconv.Itoa(a.inFlight))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.Stop(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// askFor makes an asker hold so many conversations, and returns when they are over.
func askFor(b *testing.B, p *harness.Process, conversations int) {
	b.Helper()
	if _, err := p.Ask(strconv.Itoa(conversations)); err != nil {
		b.Fatal(err)
	}
}

// askAsTold is the other end of startAsker and askFor.
func askAsTold(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("%d arguments of an asker, expected 5", len(args))
	}
	a := asking{method: args[1]}
	for i, into := range []*int{&a.conversations, &a.calls, &a.inFlight} {
		var err error
		if *into, err = strconv.Atoi(args[i+2]); err != nil {
			return err
		}
	}
	conn, err := rsocket.Dial(context.Background(), args[0], rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: protocol.MIMEMsgPack}, rsocket.Handler{}, rsocket.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return harness.Told(os.Stdin, func(lines <-chan string) error {
		for line := range lines {
			n, err := strconv.Atoi(line)
			if err == nil {
				err = a.hold(conn, n)
			}
			if err != nil {
				return err
			}
			fmt.Println("done")
		}
		return nil
	})
}

// hold holds n conversations.
func (a asking) hold(conn *rsocket.Conn, n int) error {
	var (
		wg     sync.WaitGroup
		begun  atomic.Int64
		failed atomic.Pointer[error]
	)
	for range a.conversations {
		wg.Go(func() {
			for begun.Add(1) <= int64(n) && failed.Load() == nil {
				if err := a.converse(conn); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// converse holds one conversation. As an adapter does it asks together what it
// can ask at once, and asks on when it has answers.
func (a asking) converse(conn *rsocket.Conn) error {
	ctx := context.Background()
	asked := 0
	ask := func(n int) (data []byte, err error) {
		for n = min(n, a.calls-asked); n > 0 && err == nil; n-- {
			if data, err = protocol.MsgPack.AppendMessage(data, a.call(asked)); err == nil {
				asked++
			}
		}
		return data, err
	}
	data, err := ask(a.inFlight)
	if err != nil {
		return err
	}
	md := protocol.Metadata{Route: protocol.RouteConversation}
	ch, err := conn.OpenChannel(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: data})
	if err != nil {
		return err
	}
	defer ch.Cancel()
	for answered := 0; answered < a.calls; {
		p, err := ch.Recv(ctx)
		if err != nil {
			return fmt.Errorf("%d of %d calls were answered: %w", answered, a.calls, err)
		}
		n, err := replies(p.Data)
		if err != nil {
			return err
		}
		answered += n
		if data, err = ask(n); err != nil {
			return err
		}
		if len(data) > 0 {
			if err := ch.Send(ctx, rsocket.Payload{Data: data}); err != nil {
				return err
			}
		}
	}
	if err := ch.CloseSend(); err != nil {
		return err
	}
	if _, err := ch.Recv(ctx); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the conversation ended with %w, want io.EOF", err)
	}
	return nil
}

// call is the i-th of a conversation.
func (a asking) call(i int) *protocol.Message {
	id := i % askedIDs
	args := []byte{0x81, 0xA2, 'i', 'd', 0xCD, byte(id >> 8), byte(id)} // {"id": uint16}
	return &protocol.Message{Kind: protocol.KindCall, ID: uint32(i + 1), Method: a.method, Value: args}
}

// replies counts the messages of a payload, which have to be replies to what the
// conversation had not asked before.
func replies(data []byte) (n int, err error) {
	for len(data) > 0 {
		var m protocol.Message
		if m, data, err = protocol.MsgPack.NextMessage(data, 1<<20); err != nil {
			return n, err
		}
		if m.Kind != protocol.KindReply || m.Note.View {
			return n, fmt.Errorf("%+v, want a reply that its conversation had not heard before", m)
		}
		n++
	}
	return n, nil
}
