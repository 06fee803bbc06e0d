package main

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"warmline.dev/protocol"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// The documentation was read right: both sides read what the other one writes.
func TestMetadata(t *testing.T) {
	for _, m := range []metadata{
		{},
		{route: "warmline.device"},
		{passport: []byte("sealed")},
		{"warmline.conversation", bytes.Repeat([]byte{7}, 400), traceparent, 1500 * time.Millisecond},
	} {
		b := m.encode()
		theirs, err := protocol.ParseMetadata(b)
		if got := (metadata{theirs.Route, theirs.Passport, theirs.Traceparent, theirs.Budget}); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("Warmline reads %+v, %v, want %+v", got, err, m)
		}
		ours, err := decodeMetadata(theirs.Append(nil))
		if err != nil || !reflect.DeepEqual(ours, m) {
			t.Errorf("got %+v, %v, want %+v", ours, err, m)
		}
		for cut := range len(b) { // whatever comes of it, it must not panic
			_, _ = decodeMetadata(b[:cut])
		}
	}
}
