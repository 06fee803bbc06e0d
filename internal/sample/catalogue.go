package sample

import "net/http"

type filmList struct {
	Films []film `json:"films"`
}

// catalogueRoutes makes the catalogue service.
func catalogueRoutes(fs films) map[string]endpoint {
	return map[string]endpoint{
		"GET /films/{id}": func(r *http.Request) (any, error) {
			id, err := pathID(r, "film", "id")
			if err != nil {
				return nil, err
			}
			f, ok := fs.find(id)
			if !ok {
				return nil, notFound("no film %d", id)
			}
			return f, nil
		},
		"GET /films": func(r *http.Request) (any, error) {
			ids, present, err := queryIDs(r)
			if err != nil {
				return nil, err
			}
			if !present {
				return nil, badRequest("ids is missing: expected /films?ids=1,2,3")
			}
			list := filmList{Films: []film{}}
			for _, id := range ids {
				if f, ok := fs.find(id); ok {
					list.Films = append(list.Films, f)
				}
			}
			return list, nil
		},
	}
}
