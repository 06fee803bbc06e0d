package sample

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// filmsTSV is the catalogue, the best known films first: recommendations take a
// low id for acclaim. Directors who share a film are separated by a comma.
//
//go:embed films.tsv
var filmsTSV string

const filmsHeader = "id\ttitle\tyear\tdirector\tminutes\tcountry\tgenre"

type film struct {
	ID       int    `json:"id"`
	Title    string `json:"title"`
	Year     int    `json:"year"`
	Director string `json:"director"`
	Minutes  int    `json:"minutes"`
	Country  string `json:"country"`
	Genre    string `json:"genre"`
}

// films is the catalogue in the order of the ids, which have no gaps: the film
// with id n is at n-1. Nothing writes to it once it is parsed.
type films []film

// loadFilms parses the embedded catalogue, once for all services of the process.
var loadFilms = sync.OnceValues(func() (films, error) {
	fs, err := parseFilms(filmsTSV)
	if err != nil {
		return nil, fmt.Errorf("films.tsv: %w", err)
	}
	return fs, nil
})

func (fs films) find(id int) (film, bool) {
	if id < 1 || id > len(fs) {
		return film{}, false
	}
	return fs[id-1], true
}

// parseFilms reads the tab-separated catalogue. An error says line and field.
func parseFilms(text string) (films, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != filmsHeader {
		return nil, fmt.Errorf("line 1 is %q, expected the header %q", clip(lines[0]), filmsHeader)
	}
	var fs films
	seen := make(map[string]int)
	for i, line := range lines[1:] {
		number := i + 2
		f, err := parseFilm(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if f.ID != len(fs)+1 {
			return nil, fmt.Errorf("line %d: id is %d, expected %d: ids have no gaps", number, f.ID, len(fs)+1)
		}
		key := fmt.Sprintf("%s (%d)", f.Title, f.Year)
		if first, ok := seen[key]; ok {
			return nil, fmt.Errorf("line %d: %s is on line %d already", number, key, first)
		}
		seen[key] = number
		fs = append(fs, f)
	}
	return fs, nil
}

func parseFilm(line string) (film, error) {
	fields := strings.Split(line, "\t")
	names := strings.Split(filmsHeader, "\t")
	if len(fields) != len(names) {
		return film{}, fmt.Errorf("%d fields, expected %d", len(fields), len(names))
	}
	for i, field := range fields {
		if field == "" || field != strings.TrimSpace(field) {
			return film{}, fmt.Errorf("%s is %q, expected text without space around it", names[i], clip(field))
		}
	}
	f := film{Title: fields[1], Director: fields[3], Country: fields[5], Genre: fields[6]}
	for i, into := range map[int]*int{0: &f.ID, 2: &f.Year, 4: &f.Minutes} {
		n, err := strconv.Atoi(fields[i])
		if err != nil || n < 1 {
			return film{}, fmt.Errorf("%s is %q, expected a whole number from 1", names[i], clip(fields[i]))
		}
		*into = n
	}
	return f, nil
}
