package protocol_test

import (
	"testing"

	"warmline.dev/protocol"
)

// BenchmarkReference is the way of a reference to a part of each element of a list:
// written, put in another call's terms, and replaced by what it stands for.
func BenchmarkReference(b *testing.B) {
	c := protocol.MsgPack
	r := ref(7, protocol.Key("items"), protocol.Each, protocol.Key("id"))
	args := struct {
		IDs protocol.Reference `json:"ids"`
	}{r}
	type item struct {
		ID     int     `json:"id"`
		Score  float64 `json:"score"`
		Reason string  `json:"reason"`
	}
	items := make([]item, 12)
	for i := range items {
		items[i] = item{i * 100, 0.5, "Because of what you liked"}
	}
	encoded, result := marshal(b, c, args), marshal(b, c, map[string]any{"items": items})
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Marshal(args); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("renumber", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Renumber(encoded, func(uint32) (uint32, error) { return 1, nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("resolve", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Resolve(encoded, 1<<20, func(uint32) (protocol.Raw, error) { return result, nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
