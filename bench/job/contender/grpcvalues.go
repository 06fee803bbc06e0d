package contender

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"warmline.dev/bench/job/contender/edgepb"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
)

// marshalProtobuf encodes what is kept. A film is a list of one, and so is a rating.
func marshalProtobuf(v any) ([]byte, error) {
	var m proto.Message
	switch v := v.(type) {
	case service.Profile:
		m = &edgepb.Profile{Id: v.ID, Name: v.Name, Language: v.Language}
	case service.Recommendations:
		items := make([]*edgepb.Recommendation, len(v.Items))
		for i, r := range v.Items {
			items[i] = &edgepb.Recommendation{Id: int32(r.ID), Score: r.Score, Reason: r.Reason}
		}
		m = &edgepb.Recommendations{Items: items}
	case service.Video2:
		m = &edgepb.Films{Films: []*edgepb.Film{{
			Id: int32(v.ID), Title: v.Title, Released: int32(v.Released), Director: v.Director,
			Minutes: int32(v.Minutes), Country: v.Country, Genre: v.Genre,
		}}}
	case service.Rating:
		m = &edgepb.Ratings{Ratings: []*edgepb.Rating{{Film: int32(v.Video), Rating: v.Rating}}}
	default:
		return nil, fmt.Errorf("edge.proto has no message for %T", v)
	}
	return proto.Marshal(m)
}

func rowOf(m *edgepb.RowOf) tier.RowOf {
	return tier.RowOf{Limit: int(m.GetLimit()), Language: m.GetLanguage()}
}

func profileOf(m *edgepb.Profile) service.Profile {
	return service.Profile{ID: m.GetId(), Name: m.GetName(), Language: m.GetLanguage()}
}

func recommendationsOf(m *edgepb.Recommendations) service.Recommendations {
	items := make([]service.Recommendation, len(m.GetItems()))
	for i, r := range m.GetItems() {
		items[i] = service.Recommendation{ID: int(r.GetId()), Score: r.GetScore(), Reason: r.GetReason()}
	}
	return service.Recommendations{Items: items}
}

func filmsOf(m *edgepb.Films) service.Videos2 {
	films := make([]service.Video2, len(m.GetFilms()))
	for i, f := range m.GetFilms() {
		films[i] = service.Video2{
			ID: int(f.GetId()), Title: f.GetTitle(), Released: int(f.GetReleased()), Director: f.GetDirector(),
			Minutes: int(f.GetMinutes()), Country: f.GetCountry(), Genre: f.GetGenre(),
		}
	}
	return service.Videos2{Videos: films}
}

func ratingsOf(m *edgepb.Ratings) service.Ratings {
	ratings := make([]service.Rating, len(m.GetRatings()))
	for i, r := range m.GetRatings() {
		ratings[i] = service.Rating{Video: int(r.GetFilm()), Rating: r.GetRating()}
	}
	return service.Ratings{Ratings: ratings}
}

func ints(ids []int32) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}

func int32s(ids []int) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}
