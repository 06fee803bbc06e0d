package contender

import "warmline.dev/internal/sample/service"

// Page is what the job comes to.
type Page struct {
	Name  string `json:"name"`
	Items []Item `json:"items"`
}

// Item is one film of a page.
type Item struct {
	ID       int     `json:"id"`
	Title    string  `json:"title"`
	Released int     `json:"released"`
	Score    float64 `json:"score"`
	Reason   string  `json:"reason"`
	Rating   string  `json:"rating,omitempty"`
}

// shape makes a page of the four answers.
func shape(p service.Profile, recs service.Recommendations, films service.Videos2, ratings service.Ratings) Page {
	page := Page{Name: "Recommended for " + p.Name, Items: make([]Item, 0, len(films.Videos))}
	at := 0 // films are in the order of the recommendations, without those that there are not
	for _, r := range recs.Items {
		if at == len(films.Videos) {
			break
		}
		f := films.Videos[at]
		if f.ID != r.ID {
			continue
		}
		at++
		page.Items = append(page.Items, Item{ID: f.ID, Title: f.Title, Released: f.Released, Score: r.Score, Reason: r.Reason})
	}
	at = 0 // so are ratings
	for i := range page.Items {
		if at < len(ratings.Ratings) && ratings.Ratings[at].Video == page.Items[i].ID {
			page.Items[i].Rating = ratings.Ratings[at].Rating
			at++
		}
	}
	return page
}

// ids of the films that are recommended.
func ids(recs service.Recommendations) []int {
	ids := make([]int, len(recs.Items))
	for i, r := range recs.Items {
		ids[i] = r.ID
	}
	return ids
}
