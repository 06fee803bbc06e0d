package tv

import (
	"net/http"
	"strconv"

	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// home is what both versions show, before it is shaped.
type home[Videos any] struct {
	profile  *service.Profile
	plan     string
	recs     []service.Recommendation
	titles   *Videos
	ratings  map[int]string
	degraded []string
}

// gather asks for the parts of the page in one conversation, all at once: what
// depends on another part refers to it, so that the page takes one round trip.
func gather[Videos any](r *http.Request, edge *nodelayer.Edge) (*home[Videos], error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	whose, err := passport.Peek(passport.FromContext(ctx).Sealed())
	if err != nil || whose.Profile == "" {
		return nil, protocol.Errorf(protocol.Unauthenticated, "whose page? sign in, or say so with ?profile=paul")
	}
	conv := edge.Converse(ctx)
	defer conv.Close()
	type args = map[string]any
	profile := conv.Start("profiles.current", nil)
	var member *nodelayer.Pending
	if whose.Plan == "" { // otherwise the passport says it: nobody is asked
		member = conv.Start("members.current", nil, nodelayer.After(profile)) // which completes the passport
	}
	recs := conv.Start("recommendations.forProfile", args{"limit": limit})
	ids := recs.Ref("items", nodelayer.Each, "id")
	titles := conv.Start("catalogue.videos", args{"ids": ids})
	ratings := conv.Start("ratings.forVideos", args{"ids": ids})

	h := &home[Videos]{plan: whose.Plan, ratings: map[int]string{}}
	p := &parts{}
	if profile, ok := take[service.Profile](ctx, p, "profile", profile); ok {
		h.profile = &profile
	}
	if member != nil {
		if member, ok := take[service.Member](ctx, p, "plan", member); ok {
			h.plan = member.Plan
		}
	}
	row, ok := take[service.Recommendations](ctx, p, "recommendations", recs)
	if !ok {
		return h.degradedBy(p)
	}
	h.recs = row.Items
	if titles, ok := take[Videos](ctx, p, "titles", titles); ok {
		h.titles = &titles
	}
	rated, _ := take[service.Ratings](ctx, p, "ratings", ratings)
	for _, r := range rated.Ratings {
		h.ratings[r.Video] = r.Rating
	}
	return h.degradedBy(p)
}

func (h *home[Videos]) degradedBy(p *parts) (_ *home[Videos], err error) {
	h.degraded, err = p.missing()
	return h, err
}

// rowName greets the profile, or whoever it is.
func (h *home[Videos]) rowName() string {
	if h.profile == nil {
		return "Recommended for you"
	}
	return "Recommended for " + h.profile.Name
}

func limitOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return 12, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 100 {
		return 0, protocol.Errorf(protocol.InvalidArgument, "limit=%.20s: expected a number from 1 to 100", s)
	}
	return n, nil
}
