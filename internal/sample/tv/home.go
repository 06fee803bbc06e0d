package tv

import (
	"context"
	"net/http"
	"strconv"
	"sync"

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

// gather asks for the parts of the page in one conversation: the profile and the
// recommendations at the same time, and, having looked at them, the plan, the
// titles and the ratings, on the same channel.
func gather[Videos any](r *http.Request, edge *nodelayer.Edge) (*home[Videos], error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if p, err := passport.Peek(passport.FromContext(ctx).Sealed()); err != nil || p.Profile == "" {
		return nil, protocol.Errorf(protocol.Unauthenticated, "whose page? say so with ?profile=paul")
	}
	conv := edge.Converse(ctx)
	defer conv.Close()
	p := &parts{conv: conv}
	h := &home[Videos]{ratings: map[int]string{}}
	var both sync.WaitGroup
	both.Go(func() { h.gatherPerson(ctx, p) })
	both.Go(func() { h.gatherRow(ctx, p, limit) })
	both.Wait()
	h.degraded, err = p.missing()
	return h, err
}

func (h *home[Videos]) gatherPerson(ctx context.Context, p *parts) {
	profile, ok := ask[service.Profile](ctx, p, "profile", "profiles.current", nil)
	if !ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.degraded = append(p.degraded, "plan") // whose plan is not known
		return
	}
	h.profile = &profile
	// profiles.current has completed the passport: this call carries it.
	if member, ok := ask[service.Member](ctx, p, "plan", "members.current", nil); ok {
		h.plan = member.Plan
	}
}

func (h *home[Videos]) gatherRow(ctx context.Context, p *parts, limit int) {
	recs, ok := ask[service.Recommendations](ctx, p, "recommendations", "recommendations.forProfile", service.ForProfile{Limit: limit})
	if !ok {
		return
	}
	h.recs = recs.Items
	ids := make([]int, len(recs.Items))
	for i, item := range recs.Items {
		ids[i] = item.ID
	}
	var both sync.WaitGroup
	both.Go(func() {
		if titles, ok := ask[Videos](ctx, p, "titles", "catalogue.videos", service.VideosByID{IDs: ids}); ok {
			h.titles = &titles
		}
	})
	both.Go(func() {
		rated, _ := ask[service.Ratings](ctx, p, "ratings", "ratings.forVideos", service.RatingsOf{IDs: ids})
		for _, r := range rated.Ratings {
			h.ratings[r.Video] = r.Rating
		}
	})
	both.Wait()
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
