package tv

import (
	"net/http"

	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
)

// person is whom a request is for, as its passport says.
type person struct {
	Level    string `json:"level"`
	Customer string `json:"customer,omitempty"`
	Profile  string `json:"profile,omitempty"`
	Plan     string `json:"plan,omitempty"`
	Country  string `json:"country,omitempty"`
	Device   string `json:"device"`
	Language string `json:"language,omitempty"`
}

// me tells whom the request is for.
func me(r *http.Request) (any, error) {
	p, err := passport.Peek(passport.FromContext(r.Context()).Sealed())
	return person{p.Level.String(), p.Customer, p.Profile, p.Plan, p.Country, p.Device, p.Preferences["language"]}, err
}

// signIn has the account service change the passport; the gateway sets the cookie.
func signIn(r *http.Request, edge *nodelayer.Edge) (any, error) {
	var body service.SignIn
	if err := decodeBody(r, &body, `{"email":"paul@example.com","password":"…"}`); err != nil {
		return nil, err
	}
	if _, err := nodelayer.Ask[service.Account](r.Context(), edge, "accounts.signIn", body); err != nil {
		return nil, err
	}
	return me(r)
}

func signOut(r *http.Request, edge *nodelayer.Edge, method string) (any, error) {
	if _, err := nodelayer.Ask[map[string]any](r.Context(), edge, method, nil); err != nil {
		return nil, err
	}
	return me(r)
}
