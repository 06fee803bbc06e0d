package java

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"warmline.dev/protocol/rsocket"
)

// Payloads cross the line to the JVM as text, so long ones are described there
// and here in the same way; Message.java says how.
const (
	shown = 1000
	empty = "<empty>"
)

func payload(m message) rsocket.Payload {
	p := rsocket.Payload{Data: bytesOf(m.Data)}
	if m.Metadata != nil {
		p.Metadata = bytesOf(*m.Metadata)
	}
	return p
}

func messageOf(p rsocket.Payload) message {
	m := message{Data: describe(p.Data)}
	if p.Metadata != nil {
		metadata := describe(p.Metadata)
		if metadata == "" {
			metadata = empty
		}
		m.Metadata = &metadata
	}
	return m
}

func bytesOf(text string) []byte {
	if text == empty {
		return []byte{}
	}
	if n, ok := strings.CutPrefix(text, "<"); ok {
		if n, ok = strings.CutSuffix(n, " bytes>"); ok {
			if n, err := strconv.Atoi(n); err == nil {
				return pattern(n)
			}
		}
	}
	return []byte(text)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func describe(b []byte) string {
	if len(b) <= shown {
		return string(b)
	}
	return fmt.Sprintf("<%d bytes, crc32 %08x>", len(b), crc32.ChecksumIEEE(b))
}

// bytes is n bytes of the pattern, and how they are described.
func large(n int) (asked, described string) {
	return fmt.Sprintf("<%d bytes>", n), describe(pattern(n))
}
