package sample

import (
	"crypto/subtle"
	"net/http"
)

// Password is every sample customer's.
const Password = "popcorn"

type signIn struct {
	Customer string `json:"customer"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Profile  string `json:"profile"`
}

// signIn begins a session.
func (a *accounts) signIn(r *http.Request) (any, error) {
	var in signIn
	if err := decodeBody(r, &in, `{"customer":"c-1001","password":"…"} or {"email":"paul@example.com","password":"…"}, and "profile" if you like`); err != nil {
		return nil, err
	}
	if (in.Customer == "") == (in.Email == "") {
		return nil, badRequest("expected either customer or email")
	}
	if p, ok := a.byEmail[in.Email]; ok {
		in.Customer = p.Customer
		if in.Profile == "" {
			in.Profile = p.ID
		}
	}
	// It is not told which of the two is wrong.
	_, known := a.byCustomer[in.Customer]
	if right := subtle.ConstantTimeCompare([]byte(in.Password), []byte(Password)) == 1; !known || !right {
		return nil, &failure{http.StatusUnauthorized, "unauthenticated", "no such customer, or another password"}
	}
	one, err := a.account(in.Customer, in.Profile)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one.Session = &sessionState{ID: a.sessions.begin(in.Customer), Good: true}
	return one, nil
}

type signedOut struct {
	Customer    string `json:"customer,omitempty"`
	Session     string `json:"session,omitempty"`
	SignedOutAt int64  `json:"signedOutAt"`
}

// signOut ends one session, of whomever it is.
func (a *accounts) signOut(r *http.Request) (any, error) {
	var out struct {
		Session string `json:"session"`
	}
	if err := decodeBody(r, &out, `{"session":"…"}, as sign-in said it`); err != nil {
		return nil, err
	}
	if !validName(out.Session) {
		return nil, badName("session", out.Session)
	}
	a.mu.Lock()
	at, customer := now(), a.sessions.end(out.Session)
	a.mu.Unlock()
	a.tell(Event{Kind: SignedOut, Customer: customer, Session: out.Session, At: at})
	return signedOut{Customer: customer, Session: out.Session, SignedOutAt: at}, nil
}

// signOutAll ends all sessions of a customer.
func (a *accounts) signOutAll(r *http.Request) (any, error) {
	var out struct {
		Customer string `json:"customer"`
	}
	if err := decodeBody(r, &out, `{"customer":"c-1001"}`); err != nil {
		return nil, err
	}
	if !validName(out.Customer) {
		return nil, badName("customer", out.Customer)
	}
	if _, ok := a.byCustomer[out.Customer]; !ok {
		return nil, notFound("no customer %q", out.Customer)
	}
	a.mu.Lock()
	at := max(now(), a.signedOutAt[out.Customer]) // whatever the clock does
	a.signedOutAt[out.Customer] = at
	a.sessions.endAll(out.Customer)
	a.mu.Unlock()
	a.tell(Event{Kind: SignedOutAll, Customer: out.Customer, At: at})
	return signedOut{Customer: out.Customer, SignedOutAt: at}, nil
}
