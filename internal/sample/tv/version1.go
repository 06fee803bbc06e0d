package tv

import (
	"net/http"

	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
)

// page1 is the page of tv 1.
type page1 struct {
	UserProfile string   `json:"userProfile,omitempty"`
	Plan        string   `json:"plan,omitempty"`
	Rows        []row1   `json:"rows"`
	Degraded    []string `json:"degraded,omitempty"`
}

type row1 struct {
	Name   string   `json:"name"`
	Videos []video1 `json:"videos"`
}

type video1 struct {
	ID     int    `json:"id"`
	Title  string `json:"title,omitempty"`
	Year   int    `json:"year,omitempty"`
	Rating string `json:"rating,omitempty"`
}

func home1(edge *nodelayer.Edge) func(r *http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		h, err := gather[service.Videos1](r, edge)
		if err != nil {
			return nil, err
		}
		page := page1{Plan: h.plan, Rows: []row1{}, Degraded: h.degraded}
		if h.profile != nil {
			page.UserProfile = h.profile.Name
		}
		if h.recs == nil {
			return page, nil
		}
		titles := map[int]service.Video1{}
		if h.titles != nil {
			for _, v := range h.titles.Videos {
				titles[v.ID] = v
			}
		}
		row := row1{Name: h.rowName(), Videos: make([]video1, len(h.recs))}
		for i, rec := range h.recs {
			t := titles[rec.ID]
			row.Videos[i] = video1{ID: rec.ID, Title: t.Title, Year: t.Year, Rating: h.ratings[rec.ID]}
		}
		page.Rows = append(page.Rows, row)
		return page, nil
	}
}
