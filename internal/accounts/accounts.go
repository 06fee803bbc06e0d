// Package accounts asks an account source over HTTP/JSON, for a gateway. The source
// stands behind the same deadline, limit, breaker and retries as an edge's sources do.
//
// It is asked GET /accounts/{customer}?profile=…&session=…, and answers with everything
// that a passport needs:
//
//	{
//	  "customer": "c-1001", "profile": "paul", "plan": "four-stream", "country": "FR",
//	  "preferences": {"language": "fr"},            values of at most 1,024 bytes
//	  "references": {"layout": "0548…c4ed"},        SHA-256 of values that are larger
//	  "signedOutAt": 1795257000000,                 all devices, ms since 1970; 0: never
//	  "session": {"id": "…", "good": true}          if one was asked about
//	}
//
// 403 says that there is no such account, or profile, any more: the device is signed out.
// 404 does not, as a wrong URL answers that too: nobody knows, and what the source says of
// it is not repeated, as it may name the account.
package accounts

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// Source is an account source. Make it with [New]; whoever does closes it.
type Source struct{ src *source.Source }

var _ identity.Accounts = (*Source)(nil)

// New reaches the account source at a URL, or says what is wrong with that.
func New(url string, log zerolog.Logger) (*Source, error) {
	src, err := source.New(source.Config{Name: "accounts", URLs: []string{url}, MaxBody: 64 << 10, Log: log})
	if err != nil {
		return nil, err
	}
	return &Source{src}, nil
}

// Close gives its connections back.
func (s *Source) Close() { s.src.Close() }

// Stats are how it is doing.
func (s *Source) Stats() source.Stats { return s.src.Stats() }

// account is what it answers.
type account struct {
	Customer    string            `json:"customer"`
	Profile     string            `json:"profile"`
	Plan        string            `json:"plan"`
	Country     string            `json:"country"`
	Preferences map[string]string `json:"preferences"`
	References  map[string]string `json:"references"`
	SignedOutAt int64             `json:"signedOutAt"`
	Session     *struct {
		Good bool `json:"good"`
	} `json:"session"`
}

// Load asks for what there is to know of a subject; see [identity.Accounts].
func (s *Source) Load(ctx context.Context, of identity.Subject) (passport.Passport, error) {
	query := url.Values{}
	if of.Profile != "" {
		query.Set("profile", of.Profile)
	}
	if of.Session != "" {
		query.Set("session", of.Session)
	}
	var a account
	var p passport.Passport
	err := s.src.Do(ctx, source.Request{
		Path: "/accounts/" + url.PathEscape(of.Customer) + "?" + query.Encode(),
		Accept: func(body []byte) (err error) {
			a = account{}
			if err := json.Unmarshal(body, &a); err != nil {
				return err
			}
			p, err = a.passport()
			return err
		},
	})
	switch {
	case err != nil && protocol.AsError(err).Code == protocol.NotFound:
		return passport.Passport{}, protocol.Errorf(protocol.NotFound, "the account source answers with HTTP 404: expected its URL to be that under which there is /accounts/{customer}, and 403 for an account that is gone")
	case err != nil:
		return passport.Passport{}, err
	case of.Session != "" && (a.Session == nil || !a.Session.Good):
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "the session has ended")
	case !of.Issued.After(time.UnixMilli(a.SignedOutAt)) && a.SignedOutAt > 0:
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "all devices were signed out")
	}
	return p, nil
}

func (a *account) passport() (passport.Passport, error) {
	p := passport.Passport{
		Customer: a.Customer, Profile: a.Profile, Plan: a.Plan, Country: a.Country, Preferences: a.Preferences, Level: passport.Authenticated,
	}
	for name, hash := range a.References {
		var r passport.Reference
		b, err := hex.DecodeString(hash)
		if err != nil || copy(r[:], b) != len(r) || len(b) != len(r) {
			return p, fmt.Errorf("references: %.80s: expected a SHA-256 in hex", name)
		}
		if p.References == nil {
			p.References = map[string]passport.Reference{}
		}
		p.References[name] = r
	}
	return p, p.Check()
}
