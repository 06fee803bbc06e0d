package edgelayer_test

import (
	"context"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol/rsocket"
)

func TestNewNamesTheMistake(t *testing.T) {
	method := func(name string) edgelayer.Method {
		return edgelayer.NewMethod(name, func(context.Context, struct{}) (int, error) { return 0, nil })
	}
	services := func(s ...edgelayer.Service) edgelayer.Config { return edgelayer.Config{Services: s} }
	const names = `: expected lower-case letters, digits and '-', and not "warmline"`
	const methods = `: expected letters and digits, the first in lower case`
	for want, cfg := range map[string]edgelayer.Config{
		"edgelayer: MaxMessage is -1, expected a positive number": {MaxMessage: -1},
		"edgelayer: MaxCalls is -2, expected a positive number":   {MaxCalls: -2},
		"edgelayer: MaxBudget is -1s, expected a positive time":   {MaxBudget: -time.Second},
		"rsocket: MaxFrame is 3, expected …":                      {RSocket: rsocket.Config{MaxFrame: 3}},

		`edgelayer: service name ""` + names:                      services(edgelayer.Service{Version: "1.0.0"}),
		`edgelayer: service name "Films"` + names:                 services(edgelayer.Service{Name: "Films", Version: "1.0.0"}),
		`edgelayer: service name "a.b"` + names:                   services(edgelayer.Service{Name: "a.b", Version: "1.0.0"}),
		`edgelayer: service name "warmline"` + names:              services(edgelayer.Service{Name: "warmline", Version: "1.0.0"}),
		`edgelayer: service name "edge" is taken by the edge's …`: services(edgelayer.Service{Name: "edge", Version: "2.0.0"}),

		`edgelayer: service films: version "": …, expected something like 2.1.3`:      services(edgelayer.Service{Name: "films"}),
		`edgelayer: service films: version "2.1": …, expected something like 2.1.3`:   services(edgelayer.Service{Name: "films", Version: "2.1"}),
		`edgelayer: service films: version "v2.1.3": …`:                               services(edgelayer.Service{Name: "films", Version: "v2.1.3"}),
		"edgelayer: service films 2.1.3 is declared twice":                            services(catalogue("2.1.3"), edgelayer.Service{Name: "films", Version: "2.1.3"}, edgelayer.Service{Name: "films", Version: "2.1.3"}),
		`edgelayer: service films: method name ""` + methods:                          services(edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{{}}}),
		`edgelayer: service films: method name "List"` + methods:                      services(edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{method("List")}}),
		`edgelayer: service films: method name "list.all"` + methods:                  services(edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{method("list.all")}}),
		`edgelayer: service films: two methods named "list"`:                          services(edgelayer.Service{Name: "films", Version: "1.0.0", Methods: []edgelayer.Method{method("list"), method("find"), method("list")}}),
		`edgelayer: service films: version "1.0.0-": …, expected something like 2.1…`: services(edgelayer.Service{Name: "films", Version: "1.0.0-"}),
	} {
		if _, err := edgelayer.New(cfg); err == nil || !wildcard.Match(err.Error(), want) {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

func TestWhatGoesByDefaults(t *testing.T) {
	s, err := edgelayer.New(edgelayer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Name != "edge" || st.Version != "0.0.0" || len(st.Services) != 1 {
		t.Errorf("got %+v", st)
	}
}
