package js

import (
	"cmp"
	"slices"
	"testing"

	"warmline.dev/internal/await"
)

// Nothing orders fire-and-forgets: a handler runs for each.
func sorted(all []message) []message {
	return slices.SortedFunc(slices.Values(all), func(a, b message) int {
		return cmp.Or(cmp.Compare(a.Data, b.Data), cmp.Compare(a.Metadata, b.Metadata))
	})
}

func TestTheyFireAndForget(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "fnf", options{"requests": wire(plain...)})
		var got []message
		for range plain {
			got = append(got, await.Value(t, "a request", p.forgot))
		}
		want(t, sorted(got), sorted(plain))
		p.result()
		await.Until(t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
	})
}

func TestWeFireAndForget(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		for _, m := range plain {
			if err := p.conn.FireAndForget(t.Context(), m.payload()); err != nil {
				t.Fatal(err)
			}
			want(t, p.saw("fnf").message, m)
		}
		p.answers()
	})
}
