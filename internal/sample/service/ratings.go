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

// RatingsOf are the arguments of ratings.forVideos.
type RatingsOf struct {
	IDs []int `json:"ids"` // at most 200
}

// Ratings is what it answers; videos that are not rated are left out.
type Ratings struct {
	Ratings []Rating `json:"ratings"`
}

// Rating is the profile's word on one video, and the arguments of ratings.rate:
// THUMBS_UP, THUMBS_DOWN or NONE.
type Rating struct {
	Video  int    `json:"video"`
	Rating string `json:"rating"`
}

type ratingKey struct {
	profile string
	video   int
}

const unrated = "NONE"

func ratingsService(src *source.Source, kept *warm.Cache[ratingKey, string]) edgelayer.Service {
	forVideos := func(ctx context.Context, in RatingsOf) (Ratings, error) {
		out := Ratings{Ratings: []Rating{}}
		p, err := bearer(ctx)
		if err != nil {
			return out, err
		}
		if len(in.IDs) > 200 {
			return out, protocol.Errorf(protocol.InvalidArgument, "%d ids, expected at most 200", len(in.IDs))
		}
		keys := make([]ratingKey, len(in.IDs))
		for i, id := range in.IDs {
			keys[i] = ratingKey{p.Profile, id}
		}
		found, err := kept.GetAll(ctx, keys, func(ctx context.Context, keys []ratingKey) (map[ratingKey]string, error) {
			return loadRatings(ctx, src, p.Profile, keys)
		})
		for _, k := range keys {
			if r := found[k]; r != "" && r != unrated {
				out.Ratings = append(out.Ratings, Rating{k.video, r})
			}
		}
		return out, err
	}
	rate := func(ctx context.Context, in Rating) (Rating, error) {
		p, err := bearer(ctx)
		if err != nil {
			return Rating{}, err
		}
		var out Rating
		path := "/ratings/" + url.PathEscape(p.Profile) + "/" + strconv.Itoa(in.Video)
		if err := src.Put(ctx, path, map[string]string{"rating": in.Rating}, &out); err != nil {
			return out, err
		}
		kept.Set(ratingKey{p.Profile, in.Video}, out.Rating)
		return out, nil
	}
	needs := edgelayer.NeedsPassport(passport.Recognised)
	return edgelayer.Service{Name: "ratings", Version: "1.1.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("forVideos", forVideos, needs, edgelayer.Reads()),
		edgelayer.NewMethod("rate", rate, needs, edgelayer.Idempotent()),
	}}
}

// loadRatings asks for many at once; that a video is not rated is an answer too.
func loadRatings(ctx context.Context, src *source.Source, profile string, keys []ratingKey) (map[ratingKey]string, error) {
	ids := make([]int, len(keys))
	found := make(map[ratingKey]string, len(keys))
	for i, k := range keys {
		ids[i] = k.video
		found[k] = unrated
	}
	var answer Ratings
	if err := src.Get(ctx, "/ratings/"+url.PathEscape(profile), url.Values{"ids": {joinIDs(ids)}}, &answer); err != nil {
		return nil, err
	}
	for _, r := range answer.Ratings {
		found[ratingKey{profile, r.Video}] = r.Rating
	}
	return found, nil
}
