package gateway

import (
	"maps"
	"slices"

	"github.com/rs/zerolog"

	"warmline.dev/passport"
)

// changes are who changed what of a passport, for the log: fields, and no values.
func changes(h *passport.History) *zerolog.Array {
	list := zerolog.Arr()
	for _, c := range h.Changes {
		list.Dict(zerolog.Dict().Str("by", c.By).Strs("fields", slices.Sorted(maps.Keys(c.Set))))
	}
	return list
}

// conflicts are the fields that two changes have set which knew nothing of one
// another.
func conflicts(h *passport.History) *zerolog.Array {
	list := zerolog.Arr()
	for _, c := range h.Conflicts {
		list.Dict(zerolog.Dict().Str("field", c.Field).Str("kept", h.Changes[c.Kept].By).Str("lost", h.Changes[c.Lost].By))
	}
	return list
}
