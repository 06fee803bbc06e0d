package memory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"warmline.dev/bench/harness"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// Asking is what an adapter asks.
type Asking struct {
	Method        string // of a [Store]
	Conversations int    // open at once
	Calls         int    // of each of them; with at most [Films] none is asked twice
	InFlight      int    // of these
}

// Args are the arguments of [Ask].
func (a Asking) Args(address string) []string {
	return []string{address, a.Method, strconv.Itoa(a.Conversations), strconv.Itoa(a.Calls), strconv.Itoa(a.InFlight)}
}

// Hold makes a process that runs [Ask] hold so many conversations, and returns when
// they are over.
func Hold(adapter *harness.Process, conversations int) error {
	line, err := adapter.Ask(strconv.Itoa(conversations))
	if err == nil && line != lineDone {
		err = fmt.Errorf("the adapter printed %q, expected %q", line, lineDone)
	}
	return err
}

const lineDone = "done"

// Ask is the adapter's process: it opens a line to an edge, and holds as many
// conversations as [Hold] tells it to.
func Ask(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 5 {
		return fmt.Errorf("%d arguments of an adapter, expected 5", len(args))
	}
	a := Asking{Method: args[1]}
	for i, into := range []*int{&a.Conversations, &a.Calls, &a.InFlight} {
		n, err := strconv.Atoi(args[i+2])
		if err != nil || n < 1 {
			return fmt.Errorf("%q: expected a number of at least 1", args[i+2])
		}
		*into = n
	}
	conn, err := rsocket.Dial(context.Background(), args[0], rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: protocol.MIMEMsgPack}, rsocket.Handler{}, rsocket.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return harness.Told(stdin, func(lines <-chan string) error {
		for line := range lines {
			n, err := strconv.Atoi(line)
			if err == nil {
				err = a.hold(conn, n)
			}
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(stdout, lineDone) // if nobody listens, stdin has ended too
		}
		return nil
	})
}

// hold holds n conversations.
func (a Asking) hold(conn *rsocket.Conn, n int) error {
	var (
		wg     sync.WaitGroup
		begun  atomic.Int64
		failed atomic.Pointer[error]
	)
	for range a.Conversations {
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
func (a Asking) converse(conn *rsocket.Conn) error {
	ctx := context.Background()
	asked := 0
	ask := func(n int) (data []byte, err error) {
		for n = min(n, a.Calls-asked); n > 0 && err == nil; n-- {
			if data, err = protocol.MsgPack.AppendMessage(data, a.call(asked)); err == nil {
				asked++
			}
		}
		return data, err
	}
	data, err := ask(a.InFlight)
	if err != nil {
		return err
	}
	md := protocol.Metadata{Route: protocol.RouteConversation}
	ch, err := conn.OpenChannel(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: data})
	if err != nil {
		return err
	}
	defer ch.Cancel()
	for answered := 0; answered < a.Calls; {
		p, err := ch.Recv(ctx)
		if err != nil {
			return fmt.Errorf("%d of %d calls were answered: %w", answered, a.Calls, err)
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
func (a Asking) call(i int) *protocol.Message {
	id := i % Films
	args := []byte{0x81, 0xA2, 'i', 'd', 0xCD, byte(id >> 8), byte(id)} // {"id": uint16}
	return &protocol.Message{Kind: protocol.KindCall, ID: uint32(i + 1), Method: a.Method, Value: args}
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
