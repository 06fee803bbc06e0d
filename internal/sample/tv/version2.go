package tv

import (
	"net/http"

	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
)

// page2 is the page of tv 2: richer, and by other names.
type page2 struct {
	Profile  *service.Profile `json:"profile,omitempty"`
	Plan     string           `json:"plan,omitempty"`
	Rows     []row2           `json:"rows"`
	Degraded []string         `json:"degraded,omitempty"`
}

type row2 struct {
	Title string  `json:"title"`
	Items []item2 `json:"items"`
}

type item2 struct {
	ID       int    `json:"id"`
	Title    string `json:"title,omitempty"`
	Released int    `json:"released,omitempty"`
	Director string `json:"director,omitempty"`
	Minutes  int    `json:"minutes,omitempty"`
	Genre    string `json:"genre,omitempty"`
	Because  string `json:"because,omitempty"`
	Rating   string `json:"rating,omitempty"`
}

func home2(edge *nodelayer.Edge) func(r *http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		h, err := gather[service.Videos2](r, edge)
		if err != nil {
			return nil, err
		}
		page := page2{Profile: h.profile, Plan: h.plan, Rows: []row2{}, Degraded: h.degraded}
		if h.recs == nil {
			return page, nil
		}
		titles := map[int]service.Video2{}
		if h.titles != nil {
			for _, v := range h.titles.Videos {
				titles[v.ID] = v
			}
		}
		row := row2{Title: h.rowName(), Items: make([]item2, len(h.recs))}
		for i, rec := range h.recs {
			t := titles[rec.ID]
			row.Items[i] = item2{
				ID: rec.ID, Title: t.Title, Released: t.Released, Director: t.Director,
				Minutes: t.Minutes, Genre: t.Genre, Because: rec.Reason, Rating: h.ratings[rec.ID],
			}
		}
		page.Rows = append(page.Rows, row)
		return page, nil
	}
}
