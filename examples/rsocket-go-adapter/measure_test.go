package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

func TestMeasure(t *testing.T) {
	for _, v := range []any{
		nil, true, 0, -1, -32, 127, 200, -200, 1 << 15, 1 << 30, -1 << 30, math.MaxInt64, math.MinInt64, uint64(math.MaxUint64),
		float32(1.5), 2.5, "", "short", strings.Repeat("s", 32), strings.Repeat("s", 300), strings.Repeat("s", 1<<17),
		[]byte{},
		make([]byte, 300), make([]byte, 1<<17), time.Unix(1, 0), time.Unix(1<<34, 5),
		[]any{},
		[]any{1, "two", []any{3.0}},
		make([]any, 20), make([]any, 1<<16),
		map[string]any{},
		map[string]any{"a": map[string]any{"b": nil}},
		bigMap(20), bigMap(1 << 16 / 2),
	} {
		b, err := msgpack.Marshal(v)
		check1(t, err)
		if n, err := measure(append(b, 0xC0)); n != len(b) || err != nil {
			t.Errorf("%T % .8X…: got %d, %v, want %d", v, b, n, err, len(b))
		}
		for cut := range min(len(b), 40) {
			if n, err := measure(b[:cut]); err == nil {
				t.Errorf("%T, %d of %d bytes: got %d and no error", v, cut, len(b), n)
			}
		}
	}
}

func bigMap(n int) map[int]int {
	m := make(map[int]int, n)
	for i := range n {
		m[i] = i
	}
	return m
}

// What would end the process in the decoder is found before it.
func TestMeasureHostile(t *testing.T) {
	for name, b := range map[string][]byte{
		"a long array":  {0xDD, 0xFF, 0xFF, 0xFF, 0xFF},
		"a long map":    {0xDF, 0xFF, 0xFF, 0xFF, 0xFF},
		"a long string": {0xDB, 0xFF, 0xFF, 0xFF, 0xFF},
		"deep nesting":  bytes.Repeat([]byte{0x91}, 5<<20),
		"many values":   append([]byte{0xDD, 0, 4, 0, 0}, make([]byte, 1<<18)...),
		"no format":     {0xC1},
		"two values":    {1, 2},
	} {
		var into any
		if err := decode(b, &into); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
