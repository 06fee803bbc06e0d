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

// Member is what the methods of members answer.
type Member struct {
	Plan    string `json:"plan"`
	Streams int    `json:"streams"`
}

// ChangePlan are the arguments of members.change.
type ChangePlan struct {
	Plan string `json:"plan"`
}

func membersService(src *source.Source, kept *warm.Cache[string, Member]) edgelayer.Service {
	current := func(ctx context.Context, _ struct{}) (Member, error) {
		customer, err := customerOf(ctx)
		if err != nil {
			return Member{}, err
		}
		return kept.Get(ctx, customer, func(ctx context.Context, customer string) (m Member, err error) {
			return m, src.Get(ctx, "/members/"+url.PathEscape(customer), nil, &m)
		})
	}
	// change changes the plan, and the passport that says which it is.
	change := func(ctx context.Context, in ChangePlan) (Member, error) {
		var m Member
		customer, err := customerOf(ctx)
		if err != nil {
			return m, err
		}
		if err := src.Put(ctx, "/members/"+url.PathEscape(customer), in, &m); err != nil {
			return m, err
		}
		kept.Set(customer, m)
		return m, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Plan = m.Plan })
	}
	needs := edgelayer.NeedsPassport(passport.Recognised)
	return edgelayer.Service{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("current", current, needs, edgelayer.Reads()),
		edgelayer.NewMethod("change", change, needs, edgelayer.Idempotent()),
	}}
}

func customerOf(ctx context.Context) (string, error) {
	p, err := edgelayer.Passport(ctx)
	if err == nil && p.Customer == "" {
		err = protocol.Errorf(protocol.Forbidden, "the passport names no customer; ask profiles.current first")
	}
	return p.Customer, err
}
