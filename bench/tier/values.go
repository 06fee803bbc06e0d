package tier

import (
	"fmt"

	"warmline.dev/internal/sample/service"
)

// Limit is how many recommendations a page has.
const Limit = 12

// films is how many there are.
const films = 1000

// RowOf are the arguments of the question for recommendations. The language is the
// profile's: they can't be asked for before the profile has come.
type RowOf struct {
	Limit    int    `json:"limit"`
	Language string `json:"language"`
}

// Number is the argument of the question that counts, and its answer, which is one more.
type Number struct {
	N int `json:"n"`
}

func profile(user int) service.Profile {
	return service.Profile{ID: UserName(user), Name: fmt.Sprintf("User %d", user), Language: "en"}
}

func row(user, limit int) service.Recommendations {
	items := make([]service.Recommendation, limit)
	for i := range items {
		items[i] = service.Recommendation{ID: 1 + (user*37+i*101)%films, Score: 1 - float64(i)/float64(2*limit), Reason: "Because of what you liked"}
	}
	return service.Recommendations{Items: items}
}

func film(id int) service.Video2 {
	return service.Video2{
		ID: id, Title: fmt.Sprintf("The Adventures of Number %d", id), Released: 1920 + id%100, Director: "F. W. Murnau",
		Minutes: 60 + id%120, Country: "Germany", Genre: "drama",
	}
}

// rating leaves every fourth film without one.
func rating(user, film int) (service.Rating, bool) {
	words := []string{"THUMBS_UP", "THUMBS_DOWN", "NONE"}
	at := (user + film) % 4
	if at == 3 {
		return service.Rating{}, false
	}
	return service.Rating{Video: film, Rating: words[at]}, true
}
