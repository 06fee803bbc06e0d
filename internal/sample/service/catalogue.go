package service

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// VideosByID are the arguments of catalogue.videos, in both versions.
type VideosByID struct {
	IDs []int `json:"ids"` // at most 200
}

// film is the mid-tier's answer.
type film struct {
	ID       int    `json:"id"`
	Title    string `json:"title"`
	Year     int    `json:"year"`
	Director string `json:"director"`
	Minutes  int    `json:"minutes"`
	Country  string `json:"country"`
	Genre    string `json:"genre"`
}

// Video1 is a film as catalogue 1 has it.
type Video1 struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Year  int    `json:"year"`
}

// Videos1 is what catalogue.videos 1 answers, in the order asked; ids that are
// not in the catalogue are left out.
type Videos1 struct {
	Videos []Video1 `json:"videos"`
}

// Video2 is a film as catalogue 2 has it: "released" was "year".
type Video2 struct {
	ID       int    `json:"id"`
	Title    string `json:"title"`
	Released int    `json:"released"`
	Director string `json:"director"`
	Minutes  int    `json:"minutes"`
	Country  string `json:"country"`
	Genre    string `json:"genre"`
}

// Videos2 is what catalogue.videos 2 answers.
type Videos2 struct {
	Videos []Video2 `json:"videos"`
}

// catalogue reads films once, whichever version is asked.
type catalogue struct {
	src  *source.Source
	kept *warm.Cache[int, film]
}

func (c *catalogue) films(ctx context.Context, ids []int) ([]film, error) {
	if len(ids) > 200 {
		return nil, protocol.Errorf(protocol.InvalidArgument, "%d ids, expected at most 200", len(ids))
	}
	found, err := c.kept.GetAll(ctx, ids, c.load)
	if err != nil {
		return nil, err
	}
	films := make([]film, 0, len(ids))
	for _, id := range ids {
		if f, ok := found[id]; ok {
			films = append(films, f)
		}
	}
	return films, nil
}

func (c *catalogue) load(ctx context.Context, ids []int) (map[int]film, error) {
	var answer struct {
		Films []film `json:"films"`
	}
	if err := c.src.Get(ctx, "/films", url.Values{"ids": {joinIDs(ids)}}, &answer); err != nil {
		return nil, err
	}
	films := make(map[int]film, len(answer.Films))
	for _, f := range answer.Films {
		films[f.ID] = f
	}
	return films, nil
}

func joinIDs(ids []int) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.Itoa(id)
	}
	return strings.Join(list, ",")
}

func (c *catalogue) version1() edgelayer.Service {
	videos := func(ctx context.Context, in VideosByID) (Videos1, error) {
		films, err := c.films(ctx, in.IDs)
		out := Videos1{Videos: make([]Video1, len(films))}
		for i, f := range films {
			out.Videos[i] = Video1{f.ID, f.Title, f.Year}
		}
		return out, err
	}
	return edgelayer.Service{Name: "catalogue", Version: "1.4.2", Methods: []edgelayer.Method{edgelayer.NewMethod("videos", videos, edgelayer.Reads())}}
}

func (c *catalogue) version2() edgelayer.Service {
	videos := func(ctx context.Context, in VideosByID) (Videos2, error) {
		films, err := c.films(ctx, in.IDs)
		out := Videos2{Videos: make([]Video2, len(films))}
		for i, f := range films {
			out.Videos[i] = Video2{f.ID, f.Title, f.Year, f.Director, f.Minutes, f.Country, f.Genre}
		}
		return out, err
	}
	return edgelayer.Service{Name: "catalogue", Version: "2.1.3", Methods: []edgelayer.Method{edgelayer.NewMethod("videos", videos, edgelayer.Reads())}}
}
