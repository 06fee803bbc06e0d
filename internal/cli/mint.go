package cli

import (
	"net/http"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// mintFromQuery believes ?profile=paul. It is for trying Warmline out: it proves
// nothing, and says so by the level.
func mintFromQuery(_ http.ResponseWriter, r *http.Request) (passport.Passport, error) {
	profile := r.URL.Query().Get("profile")
	if profile == "" {
		return passport.Passport{}, nil
	}
	if len(profile) > 64 {
		return passport.Passport{}, protocol.Errorf(protocol.InvalidArgument, "profile of %d characters, expected at most 64", len(profile))
	}
	return passport.Passport{Profile: profile, Level: passport.Recognised}, nil
}
