// Command gen makes the snapshot that package device embeds of the table beside it.
// go generate runs it. Some devices.bin must be there for it to compile: an empty one
// will do.
package main

import (
	"fmt"
	"os"

	"warmline.dev/passport/device"
)

func main() {
	if err := generate("devices.tsv", "devices.bin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate does not write what would hold the same: the compressed bytes may differ
// from one version of Go to the next.
func generate(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	t, err := device.Parse(from, text)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(to); err == nil {
		if there, err := device.Decode(old); err == nil && there.Digest() == t.Digest() {
			return nil
		}
	}
	return os.WriteFile(to, t.Encode(), 0o644)
}
