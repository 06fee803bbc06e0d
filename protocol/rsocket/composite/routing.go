package composite

import (
	"errors"
	"fmt"
	"iter"
)

// Routing metadata is any number of tags:
//
//	length of the tag (8), tag (UTF-8)
const longestTag = 255

// AppendRoute appends a routing entry with one tag, a route of at most 255 bytes.
func AppendRoute(dst []byte, route string) []byte {
	dst = appendLength(append(dst, known|routingID), len(route)+1)
	return append(append(dst, byte(len(route))), route...)
}

// AppendTags appends a routing entry with several tags, the first of which is
// the route. A tag of more than 255 bytes is an error, and nothing is appended.
func AppendTags(dst []byte, tags ...string) ([]byte, error) {
	return appendEntry(dst, routingID, func(dst []byte) ([]byte, error) {
		for i, tag := range tags {
			if len(tag) > longestTag {
				return nil, fmt.Errorf("tag %d is %d bytes, expected at most %d", i, len(tag), longestTag)
			}
			dst = append(append(dst, byte(len(tag))), tag...)
		}
		return dst, nil
	})
}

// Route returns the first tag of routing metadata: the route.
func Route(data []byte) (string, error) {
	for tag, err := range Tags(data) {
		return string(tag), err
	}
	return "", errors.New("routing metadata without a tag")
}

// Tags yields the tags of routing metadata in order, as views. The first that is
// malformed is yielded as an error, and is the last.
func Tags(data []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for at := 0; at < len(data); {
			n, rest := int(data[at]), data[at+1:]
			if n > len(rest) {
				yield(nil, fmt.Errorf("routing metadata, byte %d: a tag of %d bytes in the %d that are left", at, n, len(rest)))
				return
			}
			if !yield(rest[:n:n], nil) {
				return
			}
			at += 1 + n
		}
	}
}
