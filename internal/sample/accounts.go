package sample

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// account is everything that a passport needs, in one answer.
type account struct {
	Customer    string            `json:"customer"`
	Profile     string            `json:"profile"`
	Plan        string            `json:"plan"`
	Country     string            `json:"country"`
	Preferences map[string]string `json:"preferences"`
	References  map[string]string `json:"references"` // SHA-256 in hex, of what GET /objects has
	SignedOutAt int64             `json:"signedOutAt"`
	Session     *sessionState     `json:"session,omitempty"`
}

type sessionState struct {
	ID   string `json:"id"`
	Good bool   `json:"good"`
}

// accounts is the accounts service: who is signed in. Plans are the members
// service's.
type accounts struct {
	members    *members
	byCustomer map[string][]profile // as the others, not written to
	byEmail    map[string]profile
	objects    objects
	tell       func(Event)

	mu          sync.Mutex
	signedOutAt map[string]int64 // all sessions of a customer, in milliseconds since 1970
	sessions    sessions
}

// accountsRoutes makes the accounts service.
func accountsRoutes(m *members, tell func(Event)) map[string]endpoint {
	a := &accounts{
		members: m, byCustomer: make(map[string][]profile), byEmail: make(map[string]profile), objects: newObjects(), tell: tell,
		signedOutAt: make(map[string]int64), sessions: newSessions(),
	}
	for _, p := range seedProfiles() {
		a.byCustomer[p.Customer] = append(a.byCustomer[p.Customer], p)
		a.byEmail[p.ID+"@example.com"] = p
	}
	return map[string]endpoint{
		"GET /accounts/{customer}": a.get,
		"GET /objects/{sha256}":    a.objects.get,
		"POST /sign-in":            a.signIn,
		"POST /sign-out":           a.signOut,
		"POST /sign-out-all":       a.signOutAll,
	}
}

func (a *accounts) get(r *http.Request) (any, error) {
	customer, err := pathName(r, "customer", "customer")
	if err != nil {
		return nil, err
	}
	asked, err := query(r)
	if err != nil {
		return nil, err
	}
	one, err := a.account(customer, asked.Get("profile"))
	if err != nil {
		return nil, gone(err)
	}
	if !asked.Has("session") {
		return one, nil
	}
	id := asked.Get("session")
	if !validName(id) {
		return nil, badName("session", id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one.Session = &sessionState{ID: id, Good: a.sessions.good(id, customer)}
	return one, nil
}

// account is a customer's, as the profile sees it; no profile is the first one.
func (a *accounts) account(customer, name string) (*account, error) {
	member, ok := a.members.find(customer)
	profiles := a.byCustomer[customer]
	if !ok || len(profiles) == 0 {
		return nil, notFound("no customer %q", customer)
	}
	i := 0
	if name != "" {
		i = slices.IndexFunc(profiles, func(p profile) bool { return p.ID == name })
	}
	if i < 0 {
		return nil, notFound("%s has no profile %q", customer, clip(name))
	}
	p := profiles[i]
	a.mu.Lock()
	defer a.mu.Unlock()
	return &account{
		Customer: customer, Profile: p.ID, Plan: member.Plan, Country: p.Country,
		Preferences: map[string]string{"autoplay": "on", "language": p.Language},
		References:  map[string]string{"layout": a.objects.layoutOf(p.ID)},
		SignedOutAt: a.signedOutAt[customer],
	}, nil
}

// now is in milliseconds since 1970.
func now() int64 { return time.Now().UnixMilli() }
