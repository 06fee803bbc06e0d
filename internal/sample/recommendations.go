package sample

import "net/http"

const (
	defaultLimit = 20
	maxLimit     = 100
)

type recommendationList struct {
	Profile string           `json:"profile"`
	Items   []recommendation `json:"items"`
}

// recommendationsRoutes makes the recommendations service. A profile that it
// doesn't know gets what is popular: a newcomer has no taste on record, which is
// no error.
func recommendationsRoutes(fs films) map[string]endpoint {
	popular := taste{}.rank(fs)
	byProfile := make(map[string][]recommendation)
	for id, t := range seedTastes() {
		byProfile[id] = t.rank(fs)
	}
	return map[string]endpoint{
		"GET /recommendations/{profile}": func(r *http.Request) (any, error) {
			id, err := pathName(r, "profile", "profile")
			if err != nil {
				return nil, err
			}
			limit, err := queryLimit(r)
			if err != nil {
				return nil, err
			}
			items, ok := byProfile[id]
			if !ok {
				items = popular
			}
			return recommendationList{Profile: id, Items: items[:min(limit, len(items))]}, nil
		},
	}
}

func queryLimit(r *http.Request) (int, error) {
	values, err := query(r)
	if err != nil {
		return 0, err
	}
	if !values.Has("limit") {
		return defaultLimit, nil
	}
	text := values.Get("limit")
	limit, ok := parseNumber(text)
	if !ok || limit > maxLimit {
		return 0, badRequest("limit %q: expected a whole number from 1 to %d", clip(text), maxLimit)
	}
	return limit, nil
}
