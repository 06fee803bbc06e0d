package sample

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
)

// maxRated bounds the profiles with ratings; the catalogue bounds the ratings of
// each.
const maxRated = 1000

const (
	thumbsUp   = "THUMBS_UP"
	thumbsDown = "THUMBS_DOWN"
	notRated   = "NONE"
)

type rating struct {
	Video  int    `json:"video"`
	Rating string `json:"rating"`
}

type ratingList struct {
	Profile string   `json:"profile"`
	Ratings []rating `json:"ratings"`
}

func seedRatings() map[string]map[int]string {
	return map[string]map[int]string{
		"paul":   {17: thumbsUp, 9: thumbsUp, 10: thumbsUp, 48: thumbsUp, 69: thumbsUp, 61: thumbsDown},
		"ada":    {8: thumbsUp, 16: thumbsUp, 39: thumbsUp, 17: thumbsDown},
		"grace":  {6: thumbsUp, 35: thumbsUp, 10: thumbsUp, 34: thumbsDown},
		"dennis": {36: thumbsUp, 44: thumbsUp, 97: thumbsUp},
		"yuki":   {19: thumbsUp, 39: thumbsUp},
		"kenji":  {29: thumbsUp, 66: thumbsDown},
		"ingrid": {4: thumbsUp, 5: thumbsUp, 28: thumbsUp},
		"lars":   {1: thumbsUp, 2: thumbsUp, 20: thumbsUp, 34: thumbsUp},
	}
}

// ratings is the ratings service.
type ratings struct {
	films films

	mu        sync.Mutex
	byProfile map[string]map[int]string // no entry without a rating in it
}

// ratingsRoutes makes the ratings service.
func ratingsRoutes(fs films) map[string]endpoint {
	rs := &ratings{films: fs, byProfile: seedRatings()}
	return map[string]endpoint{
		"GET /ratings/{profile}":         rs.get,
		"PUT /ratings/{profile}/{video}": rs.put,
	}
}

func (rs *ratings) get(r *http.Request) (any, error) {
	profile, err := pathName(r, "profile", "profile")
	if err != nil {
		return nil, err
	}
	ids, chosen, err := queryIDs(r)
	if err != nil {
		return nil, err
	}
	list := ratingList{Profile: profile, Ratings: []rating{}}
	rs.mu.Lock()
	for video, value := range rs.byProfile[profile] {
		if !chosen || slices.Contains(ids, video) {
			list.Ratings = append(list.Ratings, rating{video, value})
		}
	}
	rs.mu.Unlock()
	slices.SortFunc(list.Ratings, func(a, b rating) int { return cmp.Compare(a.Video, b.Video) })
	return list, nil
}

func (rs *ratings) put(r *http.Request) (any, error) {
	profile, err := pathName(r, "profile", "profile")
	if err != nil {
		return nil, err
	}
	video, err := pathID(r, "video", "video")
	if err != nil {
		return nil, err
	}
	var change struct {
		Rating string `json:"rating"`
	}
	if err := decodeBody(r, &change, `{"rating":"THUMBS_UP"}`); err != nil {
		return nil, err
	}
	switch change.Rating {
	case thumbsUp, thumbsDown, notRated:
	default:
		return nil, badRequest("rating %q: expected %s, %s or %s", clip(change.Rating), thumbsUp, thumbsDown, notRated)
	}
	if _, ok := rs.films.find(video); !ok {
		return nil, notFound("no film %d", video)
	}
	if err := rs.set(profile, video, change.Rating); err != nil {
		return nil, err
	}
	return rating{video, change.Rating}, nil
}

// set stores or, for NONE, removes one rating.
func (rs *ratings) set(profile string, video int, value string) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	mine, known := rs.byProfile[profile]
	if value == notRated {
		delete(mine, video)
		if len(mine) == 0 {
			delete(rs.byProfile, profile)
		}
		return nil
	}
	if !known {
		if len(rs.byProfile) >= maxRated {
			return full("%d profiles have ratings already: remove one's ratings first", maxRated)
		}
		mine = make(map[int]string)
		rs.byProfile[profile] = mine
	}
	mine[video] = value
	return nil
}
