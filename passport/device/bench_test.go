package device_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"warmline.dev/passport/device"
)

// What a gateway does for each request: ≤ 200 ns, no allocation.
func BenchmarkLookup(b *testing.B) {
	devices, err := device.New(device.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct{ name, esn, userAgent string }{
		{"model", "WLTV-SAM-2021-Q80-7F3A09C41B2E", ""},
		{"maker", "WLTV-SAM-2031-Q80-7F3A09C41B2E", ""},
		{"browser", "", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"},
		{"tv", "", "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36"},
		{"longest", strings.Repeat("A ", 4096), strings.Repeat("S ", 4096)},
		{"none", "", ""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				devices.Lookup(bb.esn, bb.userAgent)
			}
		})
	}
}

// As BenchmarkLookup, and no two devices in a row are of one type.
func BenchmarkLookupMany(b *testing.B) {
	devices, err := device.New(device.Config{})
	if err != nil {
		b.Fatal(err)
	}
	var esns []string
	for row := range devices.Table().Rows() {
		esns = append(esns, row.Prefix+"7F3A09C41B2E")
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(esns), func(i, j int) { esns[i], esns[j] = esns[j], esns[i] })
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		devices.Lookup(esns[n], "")
		if n++; n == len(esns) {
			n = 0
		}
	}
}

// What a process pays once: to make a table of the snapshot that is built in.
func BenchmarkDecode(b *testing.B) {
	snapshot := device.Embedded().Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := device.Decode(snapshot); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(snapshot)), "B/snapshot")
}
