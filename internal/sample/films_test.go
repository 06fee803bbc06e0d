package sample

import (
	"slices"
	"strings"
	"testing"
)

func TestFilms(t *testing.T) {
	fs, err := loadFilms()
	if err != nil {
		t.Fatal(err)
	}
	if len(fs) < 250 || len(fs) > 260 {
		t.Errorf("%d films, want 250 to 260", len(fs))
	}
	metropolis := film{17, "Metropolis", 1927, "Fritz Lang", 153, "Germany", "science fiction"}
	if f, _ := fs.find(17); f != metropolis {
		t.Errorf("film 17 is %+v", f)
	}
	genres := []string{
		"adventure", "animation", "comedy", "crime", "documentary", "drama", "experimental", "fantasy", "historical",
		"horror", "musical", "romance", "science fiction", "thriller", "war", "western",
	}
	seen := make(map[string]int)
	for i, f := range fs {
		if f.ID != i+1 {
			t.Errorf("film at %d has id %d", i, f.ID)
		}
		key := strings.ToLower(f.Title)
		if seen[key] != 0 {
			t.Errorf("films %d and %d are both %q", seen[key], f.ID, f.Title)
		}
		seen[key] = f.ID
		if f.Year < 1895 || f.Year > 1968 {
			t.Errorf("film %d: year %d", f.ID, f.Year)
		}
		if f.Minutes > 420 {
			t.Errorf("film %d: %d minutes", f.ID, f.Minutes)
		}
		if !slices.Contains(genres, f.Genre) {
			t.Errorf("film %d: genre %q", f.ID, f.Genre)
		}
	}
	for _, id := range []int{-1, 0, len(fs) + 1} {
		if f, ok := fs.find(id); ok {
			t.Errorf("find(%d) = %+v", id, f)
		}
	}
}

func TestParseFilms(t *testing.T) {
	const one = "1\tMetropolis\t1927\tFritz Lang\t153\tGermany\tscience fiction\n"
	fs, err := parseFilms(filmsHeader + "\n" + one)
	if err != nil || len(fs) != 1 || fs[0].Title != "Metropolis" {
		t.Errorf("parseFilms = %+v, %v", fs, err)
	}
	tests := map[string]struct{ text, message string }{
		"no header":     {one, "line 1 "},
		"empty":         {"", "line 1 "},
		"gap":           {filmsHeader + "\n2" + one[1:], "line 2: id is 2, expected 1"},
		"twice":         {filmsHeader + "\n" + one + "2" + one[1:], "line 3: Metropolis (1927) is on line 2 already"},
		"too few":       {filmsHeader + "\n1\tMetropolis\n", "line 2: 2 fields, expected 7"},
		"blank line":    {filmsHeader + "\n" + one + "\n", "line 3: 1 fields"},
		"no director":   {filmsHeader + "\n" + strings.Replace(one, "Fritz Lang", "", 1), `line 2: director is ""`},
		"space":         {filmsHeader + "\n" + strings.Replace(one, "Germany", "Germany ", 1), `line 2: country is "Germany "`},
		"year in words": {filmsHeader + "\n" + strings.Replace(one, "1927", "MCMXXVII", 1), `line 2: year is "MCMXXVII"`},
		"no minutes":    {filmsHeader + "\n" + strings.Replace(one, "153", "0", 1), `line 2: minutes is "0"`},
	}
	for name, test := range tests {
		if _, err := parseFilms(test.text); err == nil || !strings.Contains(err.Error(), test.message) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.message)
		}
	}
}

// The seeds name each other; a slip would show up only as a lonely 404.
func TestSeeds(t *testing.T) {
	fs, err := loadFilms()
	if err != nil {
		t.Fatal(err)
	}
	customers := make(map[string]bool)
	for _, m := range seedMembers() {
		customers[m.Customer] = true
		if m.Streams == 0 || m.Streams != streamsOf(m.Plan) {
			t.Errorf("%s: %d streams with plan %s", m.Customer, m.Streams, m.Plan)
		}
	}
	ids := make(map[string]bool)
	for _, p := range seedProfiles() {
		ids[p.ID] = true
		if !customers[p.Customer] {
			t.Errorf("profile %s has customer %s", p.ID, p.Customer)
		}
		if _, ok := seedTastes()[p.ID]; !ok {
			t.Errorf("profile %s has no taste", p.ID)
		}
	}
	if len(ids) != 8 || len(customers) != 4 {
		t.Errorf("%d profiles of %d customers", len(ids), len(customers))
	}
	genres := make(map[string]bool)
	for _, f := range fs {
		genres[f.Genre] = true
	}
	for id, taste := range seedTastes() {
		if !ids[id] {
			t.Errorf("taste of %s, who is no profile", id)
		}
		for genre := range taste.genres {
			if !genres[genre] {
				t.Errorf("%s likes %q, which no film is", id, genre)
			}
		}
	}
	for id, rated := range seedRatings() {
		if !ids[id] {
			t.Errorf("ratings of %s, who is no profile", id)
		}
		for video := range rated {
			if _, ok := fs.find(video); !ok {
				t.Errorf("%s rated %d", id, video)
			}
		}
	}
}
