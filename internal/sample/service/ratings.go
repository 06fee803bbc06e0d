package service

// RatingsOf are the arguments of ratings.forVideos.
type RatingsOf struct {
	IDs []int `json:"ids"` // at most 200
}

// Ratings is what it answers; videos that are not rated are left out.
type Ratings struct {
	Ratings []Rating `json:"ratings"`
	Gaps
}

// Rating is the profile's word on one video, and the arguments of ratings.rate:
// THUMBS_UP, THUMBS_DOWN or NONE.
type Rating struct {
	Video  int    `json:"video"`
	Rating string `json:"rating"`
}
