package service

import (
	"context"
	"net/url"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// profile is the mid-tier's answer.
type profile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Customer string `json:"customer"`
	Country  string `json:"country"`
	Language string `json:"language"`
}

// Profile is what profiles.current answers.
type Profile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language"`
}

func profilesService(src *source.Source, kept *warm.Cache[string, profile]) edgelayer.Service {
	// current is the passport's profile. It completes a passport that knows the
	// profile only: the calls behind it know the customer, and so does the gateway.
	current := func(ctx context.Context, _ struct{}) (Profile, error) {
		p, err := bearer(ctx)
		if err != nil {
			return Profile{}, err
		}
		found, err := kept.Get(ctx, p.Profile, func(ctx context.Context, id string) (found profile, err error) {
			return found, src.Get(ctx, "/profiles/"+url.PathEscape(id), nil, &found)
		})
		if err != nil {
			return Profile{}, err
		}
		if p.Customer != found.Customer || p.Country != found.Country {
			err = edgelayer.ChangePassport(ctx, func(p *passport.Passport) {
				p.Customer, p.Country = found.Customer, found.Country
			})
		}
		return Profile{found.ID, found.Name, found.Language}, err
	}
	return edgelayer.Service{Name: "profiles", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("current", current, edgelayer.NeedsPassport(passport.Recognised), edgelayer.Reads()),
	}}
}

// bearer is the passport of a call that needs a profile.
func bearer(ctx context.Context) (passport.Passport, error) {
	p, err := edgelayer.Passport(ctx)
	if err == nil && p.Profile == "" {
		err = protocol.Errorf(protocol.Forbidden, "the passport names no profile")
	}
	return p, err
}
