package passport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ErrOther is wrapped by the error of [Merge] when the two were minted apart.
var ErrOther = errors.New("passport: not the same passport")

// Merge is one sealed passport with the changes of both: of one that has been
// changed by two calls at once. It needs no key, and verifies nothing. The error
// wraps [ErrMissing], [ErrMalformed] or [ErrOther], or says that there are too many
// changes.
func Merge(a, b []byte) ([]byte, error) {
	var rooms [2][4]link
	x, err := links(rooms[0][:], a)
	if err != nil {
		return nil, err
	}
	y, err := links(rooms[1][:], b)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(x[0].raw, y[0].raw) {
		return nil, ErrOther
	}
	merged := slices.Clone(a)
	n := len(x)
	for _, l := range y[1:] {
		if !slices.ContainsFunc(x, l.same) {
			merged, n = append(merged, l.raw...), n+1
		}
	}
	if n > 1+MaxChanges || len(merged) > MaxSealed {
		return nil, fmt.Errorf("passport: %d changes in %d bytes, expected at most %d in %d", n-1, len(merged), MaxChanges, MaxSealed)
	}
	return merged, nil
}

// Same reports whether two sealed passports are one that was minted once, however
// it has been changed since. It verifies nothing.
func Same(a, b []byte) bool {
	x, _, err := nextLink(a)
	if err != nil {
		return false
	}
	y, _, err := nextLink(b)
	return err == nil && bytes.Equal(x.raw, y.raw)
}
