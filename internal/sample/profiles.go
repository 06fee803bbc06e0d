package sample

import "net/http"

type profile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Customer string `json:"customer"`
	Country  string `json:"country"`
	Language string `json:"language"`
}

func seedProfiles() []profile {
	return []profile{
		{"paul", "Paul", "c-1001", "FR", "fr"},
		{"ada", "Ada", "c-1001", "FR", "fr"},
		{"grace", "Grace", "c-1002", "US", "en"},
		{"dennis", "Dennis", "c-1002", "US", "en"},
		{"yuki", "Yuki", "c-1003", "JP", "ja"},
		{"kenji", "Kenji", "c-1003", "JP", "ja"},
		{"ingrid", "Ingrid", "c-1004", "SE", "sv"},
		{"lars", "Lars", "c-1004", "SE", "sv"},
	}
}

// profilesRoutes makes the profiles service.
func profilesRoutes() map[string]endpoint {
	byID := make(map[string]profile)
	for _, p := range seedProfiles() {
		byID[p.ID] = p
	}
	return map[string]endpoint{
		"GET /profiles/{id}": func(r *http.Request) (any, error) {
			id, err := pathName(r, "profile", "id")
			if err != nil {
				return nil, err
			}
			p, ok := byID[id]
			if !ok {
				return nil, notFound("no profile %q", id)
			}
			return p, nil
		},
	}
}
