package sample

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// What a film's score is made of; the shares add up to 1.
const (
	genreShare   = 0.60
	decadeShare  = 0.25
	acclaimShare = 0.15
)

// taste is what a profile likes: genres and decades (by their first year), each
// from 0, indifferent, to 1. The zero value likes what everybody likes.
type taste struct {
	genres  map[string]float64
	decades map[int]float64
}

func seedTastes() map[string]taste {
	return map[string]taste{
		"paul": {
			map[string]float64{"science fiction": 1, "fantasy": 0.6, "thriller": 0.4},
			map[int]float64{1920: 0.92, 1900: 0.3, 1910: 0.3},
		},
		"ada": {
			map[string]float64{"experimental": 1, "animation": 0.8, "documentary": 0.7},
			map[int]float64{1920: 0.8, 1900: 0.6},
		},
		"grace": {
			map[string]float64{"comedy": 1, "musical": 0.6, "romance": 0.5},
			map[int]float64{1920: 0.9, 1930: 0.6, 1940: 0.6},
		},
		"dennis": {
			map[string]float64{"crime": 1, "thriller": 0.9, "western": 0.6},
			map[int]float64{1940: 0.9, 1950: 0.8, 1920: 0.5},
		},
		"yuki": {
			map[string]float64{"fantasy": 1, "animation": 0.9, "horror": 0.3},
			map[int]float64{1900: 0.7, 1920: 0.7},
		},
		"kenji": {
			map[string]float64{"war": 1, "adventure": 0.9, "historical": 0.7},
			map[int]float64{1910: 0.5, 1920: 0.9},
		},
		"ingrid": {
			map[string]float64{"drama": 1, "romance": 0.6, "historical": 0.4},
			map[int]float64{1910: 0.9, 1920: 0.8},
		},
		"lars": {
			map[string]float64{"horror": 1, "thriller": 0.6, "crime": 0.4},
			map[int]float64{1920: 0.8, 1950: 0.6, 1960: 0.7},
		},
	}
}

type recommendation struct {
	ID     int     `json:"id"`
	Score  float64 `json:"score"`
	Reason string  `json:"reason"`
}

// rank scores every film, the highest score first and equal ones by id.
func (t taste) rank(fs films) []recommendation {
	ranked := make([]recommendation, 0, len(fs))
	for _, f := range fs {
		decade := f.Year / 10 * 10
		genre := genreShare * t.genres[f.Genre]
		period := decadeShare * t.decades[decade]
		acclaim := 1 - float64(f.ID-1)/float64(len(fs))
		if len(t.genres) > 0 || len(t.decades) > 0 {
			acclaim *= acclaimShare
		}
		reason := "popular"
		switch {
		case genre > 0 && genre >= period:
			reason = "because you like " + reasonGenre(f.Genre)
		case period > 0:
			reason = fmt.Sprintf("because you like films of the %ds", decade)
		}
		score := math.Round(100*(genre+period+acclaim)) / 100
		ranked = append(ranked, recommendation{f.ID, score, reason})
	}
	slices.SortFunc(ranked, func(a, b recommendation) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return ranked
}

// reasonGenre makes a genre that is an adjective fit after "you like".
func reasonGenre(genre string) string {
	switch genre {
	case "experimental", "historical", "war":
		return genre + " films"
	}
	return genre
}
