package js

import (
	"testing"

	"warmline.dev/internal/await"
)

// 0.0.27 sends the frame without the metadata flag, which is let pass;
// 1.0.0-alpha.3 sends none.
func TestTheyPushMetadata(t *testing.T) {
	for name, theyDial := range map[string]bool{"they dial": true, "we dial": false} {
		t.Run(name, func(t *testing.T) {
			p := theyAsk(t, v0, theyDial, terms{}, "push", options{"metadata": []string{"one"}})
			want(t, await.Value(t, "what is pushed", p.pushed), "one")
		})
	}
}

func TestWePushMetadata(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		for _, m := range []string{"one", "two", "three"} {
			if err := p.conn.PushMetadata(t.Context(), []byte(m)); err != nil {
				t.Fatal(err)
			}
			if l.noPush {
				want(t, p.closed().Message, "length is not defined") // it reads a variable that is not there, and closes
				await.Value(t, "the end", p.conn.Done())
				return
			}
			want(t, p.saw("push").Metadata, m)
		}
		p.answers()
	})
}
