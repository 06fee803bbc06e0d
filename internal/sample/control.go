package sample

import (
	"net/http"
	"time"
)

const controlPath = "/_sample"

type controlState struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
	GivenUp  int64  `json:"given_up"` // requests that were, before they were answered
	Open     int64  `json:"open"`     // requests that are being answered now
	MostOpen int64  `json:"most_open"`
	Mode     Mode   `json:"mode"`
	Latency  string `json:"latency"`
}

// controlRoutes returns the endpoints that show and switch s.
func (s *service) controlRoutes() map[string]endpoint {
	return map[string]endpoint{
		"GET " + controlPath: func(*http.Request) (any, error) { return s.control(), nil },
		"PUT " + controlPath: s.putControl,
	}
}

func (s *service) control() controlState {
	mode, latency, _ := s.current.get()
	open, most := s.open.get()
	return controlState{
		Name: s.name, Requests: s.requests.Load(), GivenUp: s.givenUp.Load(), Open: open, MostOpen: most,
		Mode: mode, Latency: latency.String(),
	}
}

func (s *service) putControl(r *http.Request) (any, error) {
	const expected = `{"mode":"hang","latency":"20ms"}, where either may be missing`
	var change struct {
		Mode    *Mode   `json:"mode"`
		Latency *string `json:"latency"`
	}
	if err := decodeBody(r, &change, expected); err != nil {
		return nil, err
	}
	if change.Mode != nil {
		if err := checkMode(*change.Mode); err != nil {
			return nil, badRequest("%s", err)
		}
	}
	var latency *time.Duration
	if change.Latency != nil {
		d, err := time.ParseDuration(*change.Latency)
		if err != nil {
			return nil, badRequest("latency %q: expected a duration such as 20ms, or 0s for none", clip(*change.Latency))
		}
		if err := checkLatency(d); err != nil {
			return nil, badRequest("%s", err)
		}
		latency = &d
	}
	s.current.set(change.Mode, latency)
	return s.control(), nil
}
