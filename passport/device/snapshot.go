package device

import (
	_ "embed"
	"fmt"
	"sync"
)

// embedded is a snapshot of the table in devices.tsv.
//
//go:generate go run ./gen
//go:embed devices.bin
var embedded []byte

var decodeEmbedded = sync.OnceValue(func() *Table {
	t, err := Decode(embedded)
	if err != nil {
		panic(fmt.Sprintf("the device data that is built in: %v; go generate makes it", err)) // a test says that it is whole
	}
	return t
})

// Embedded is the table that is built into the binary, decoded once.
func Embedded() *Table { return decodeEmbedded() }

// Encode returns the table as a snapshot that nobody has signed, for a file of one's
// own. What goes over a bus is [Keyring.SealSnapshot].
func (t *Table) Encode() []byte { return deflate(appendContent(nil, t)) }

// Decode reads what [Table.Encode] wrote, whoever may have changed it since. The
// error says what is wrong with it.
func Decode(snapshot []byte) (*Table, error) {
	if len(snapshot) > MaxSealed {
		return nil, fmt.Errorf("device: a snapshot of %d bytes, expected at most %d", len(snapshot), MaxSealed)
	}
	content, err := inflate(snapshot)
	if err == nil {
		var t *Table
		if t, err = decodeContent(content); err == nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("device: a snapshot: %w", err)
}
