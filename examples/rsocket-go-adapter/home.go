package main

import (
	"context"
	"fmt"
)

// page is what GET /home answers.
type page struct {
	Profile string   `json:"profile"`
	Films   []string `json:"films"`
}

// home asks for the profile and its recommendations at the same time, looks at
// what came, and asks for the titles on the same channel.
func home(ctx context.Context, c *conversation) (*page, error) {
	var profile struct {
		Name string `msgpack:"name"`
	}
	var recommended struct {
		Items []struct {
			ID int `msgpack:"id"`
		} `msgpack:"items"`
	}
	first, err := c.ask(
		call{"profiles.current", nil},
		call{"recommendations.forProfile", map[string]any{"limit": 5}},
	)
	if err != nil {
		return nil, err
	}
	if err := first[0].wait(ctx, &profile); err != nil {
		return nil, err
	}
	if err := first[1].wait(ctx, &recommended); err != nil {
		return nil, err
	}

	ids := make([]int, len(recommended.Items))
	for i, item := range recommended.Items {
		ids[i] = item.ID
	}
	var titles struct {
		Videos []struct {
			Title string `msgpack:"title"`
			Year  int    `msgpack:"year"`
		} `msgpack:"videos"`
	}
	second, err := c.ask(call{"catalogue.videos", map[string]any{"ids": ids}})
	if err != nil {
		return nil, err
	}
	if err := second[0].wait(ctx, &titles); err != nil {
		return nil, err
	}

	p := &page{Profile: profile.Name, Films: make([]string, len(titles.Videos))}
	for i, v := range titles.Videos {
		p.Films[i] = fmt.Sprintf("%s (%d)", v.Title, v.Year)
	}
	return p, nil
}
