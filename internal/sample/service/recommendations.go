package service

import (
	"context"
	"net/url"
	"strconv"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// ForProfile are the arguments of recommendations.forProfile.
type ForProfile struct {
	Limit int `json:"limit"` // default 20, 1 to 100
}

// Recommendations is what it answers, best first.
type Recommendations struct {
	Items []Recommendation `json:"items"`
}

// Recommendation is one film and why.
type Recommendation struct {
	ID     int     `json:"id"`
	Score  float64 `json:"score"`
	Reason string  `json:"reason"`
}

type recsKey struct {
	profile string
	limit   int
}

func recommendationsService(src *source.Source, kept *warm.Cache[recsKey, Recommendations]) edgelayer.Service {
	forProfile := func(ctx context.Context, in ForProfile) (Recommendations, error) {
		if in.Limit == 0 {
			in.Limit = 20
		}
		if in.Limit < 1 || in.Limit > 100 {
			return Recommendations{}, protocol.Errorf(protocol.InvalidArgument, "limit is %d, expected 1 to 100", in.Limit)
		}
		p, err := bearer(ctx)
		if err != nil {
			return Recommendations{}, err
		}
		return kept.Get(ctx, recsKey{p.Profile, in.Limit}, func(ctx context.Context, k recsKey) (r Recommendations, err error) {
			query := url.Values{"limit": {strconv.Itoa(k.limit)}}
			return r, src.Get(ctx, "/recommendations/"+url.PathEscape(k.profile), query, &r)
		})
	}
	return edgelayer.Service{Name: "recommendations", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("forProfile", forProfile, edgelayer.NeedsPassport(passport.Recognised), edgelayer.Reads()),
	}}
}
