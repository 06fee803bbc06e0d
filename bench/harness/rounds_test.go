package harness_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/harness"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{100, 4, 1, 2}, 3},
	} {
		if got := harness.Median(tt.of); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.of, got, tt.want)
		}
	}
}

func TestOrderMovesFromRoundToRound(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	var got []string
	for round := range 4 {
		got = append(got, strings.Join(harness.Rotated(names, round, 4), ""))
	}
	if diff := cmp.Diff([]string{"abcd", "bcda", "cdab", "dabc"}, got); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(harness.Rotated(names, 1, 2), ""); got != "cdab" {
		t.Errorf("the second of two rounds is %s", got)
	}
}
