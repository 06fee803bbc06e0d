package java

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Hundreds of requests at once, of every model: each gets its own answer.
func TestManyAtOnce(t *testing.T) {
	const many = 300
	link{}.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		responses := asks.start("response", script{Data: "ask", Metadata: about("it"), Times: many})
		streams := asks.start("stream", script{Data: "what", Metadata: about("it"), Times: many})
		channels := asks.start("channel", script{Data: "say", Send: 3, Times: many})
		forgotten := asks.start("forget", script{Data: "note", Times: many})
		for what, c := range map[string]struct {
			got  *pending
			want string
		}{
			"responses": {responses, "ask %[1]d+it %[1]d: complete"},
			"streams":   {streams, "what %[1]d+it %[1]d: complete"},
			"channels":  {channels, "say %[1]d, say %[1]d 1, say %[1]d 2, say %[1]d 3: complete; sending: complete"},
			"forgotten": {forgotten, ": complete"},
		} {
			all := c.got.wait(t).All
			if len(all) != many {
				t.Errorf("%s: %d answers, want %d", what, len(all), many)
			}
			for i, a := range all {
				want := c.want
				if strings.Contains(want, "%") {
					want = fmt.Sprintf(want, i)
				}
				if a.String() != want {
					t.Errorf("%s: got %s, want %s", what, a, want)
				}
			}
		}
		var notes, expected []string
		for i, e := range answers.seen(t, "forgotten", many) {
			notes = append(notes, e.Message.Data)
			expected = append(expected, fmt.Sprint("note ", i))
		}
		slices.Sort(notes) // their handlers run beside each other
		slices.Sort(expected)
		if !slices.Equal(notes, expected) {
			t.Errorf("forgotten: got %q, want %q", notes, expected)
		}
	})
}
