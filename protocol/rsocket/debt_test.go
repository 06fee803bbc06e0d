package rsocket

import (
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// What this side wants to send is not the peer's debt, however much it is.
func TestAPeerThatReadsIsNotCutOffForLargePayloads(t *testing.T) {
	c, p := rawServer(t, Handler{}, Config{})
	large := text(string(make([]byte, 8<<20)))
	result := make(chan error, 3)
	for range cap(result) {
		go func() {
			_, err := c.Call(await.Context(t), large)
			result <- err
		}()
	}
	await.Until(t, "one waits behind another", func() bool {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
		return c.w.writing && c.w.besides > 2*c.cfg.MaxUnwritten
	})
	p.write(frame.AppendKeepAlive(nil, true, 0, nil)) // read and answered meanwhile
	for answered := 0; answered < cap(result); {
		b, err := p.r.next()
		if err != nil {
			t.Fatal(err)
		}
		if f, err := frame.Parse(b); err == nil && f.Type == frame.TypeRequestResponse {
			p.write(frame.AppendPayload(nil, f.StreamID, frame.FlagNext|frame.FlagComplete, nil, nil))
			answered++
		}
	}
	for range cap(result) {
		if err := await.Value(t, "the reply", result); err != nil {
			t.Error(err)
		}
	}
}
