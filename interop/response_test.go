package interop

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestResponse(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 200<<10/16)
	each(t, func(t *testing.T, asks, answers end) {
		for name, m := range map[string]message{
			"data only":         {"", "hello"},
			"nothing":           {"", ""},
			"metadata":          {"about it", "hello"},
			"metadata only":     {"about it", ""},
			"200 KB of data":    {"about it", large},
			"200 KB of both":    {large, large},
			"bytes and not UTF": {"\x00\xff\xfe", "\xff\x00\x01"},
		} {
			reply, err := asks.call(m)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if reply != m {
				t.Errorf("%s: %d+%d bytes came back otherwise, as %d+%d", name, len(m.metadata), len(m.data), len(reply.metadata), len(reply.data))
			}
		}
	})
}

func TestResponsesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				m := message{fmt.Sprint("metadata ", i), fmt.Sprint("data ", i)}
				if reply, err := asks.call(m); err != nil || reply != m {
					t.Errorf("got %v, %v, want %v", reply, err, m)
				}
			})
		}
		wg.Wait()
	})
}

func TestRefusal(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		_, err := asks.call(message{"about it", wordRefuse})
		if got := told(err); got != refusal {
			t.Errorf("a request: got %v (%v), want %v", got, err, refusal)
		}
		_, err = asks.open(wordRefuse).recv()
		if got := told(err); got != refusal {
			t.Errorf("a channel: got %v (%v), want %v", got, err, refusal)
		}
		// It was one stream's affair.
		if _, err := asks.call(message{"", "still there?"}); err != nil {
			t.Error(err)
		}
	})
}
