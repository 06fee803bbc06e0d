package interop

import (
	"slices"
	"testing"
)

func TestMetadataPush(t *testing.T) {
	each(t, func(t *testing.T, asks, answers end) {
		want := []string{"one", "three", "two"}
		for _, m := range want {
			asks.push(m)
		}
		var got []string
		for range want {
			got = append(got, take(t, "metadata", answers.seen().pushed))
		}
		slices.Sort(got) // rsocket-go hands them out beside each other
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
