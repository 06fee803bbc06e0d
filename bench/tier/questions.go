package tier

import (
	"context"
	"strconv"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
)

// Open opens the passport of a request.
func (t *Tier) Open(sealed []byte) (passport.Passport, error) {
	return t.Keys.Open(sealed, time.Now())
}

// Profile answers whose device it is: a service.Profile.
func (t *Tier) Profile(ctx context.Context, who passport.Passport) ([]byte, error) {
	return t.profiles.Get(ctx, who.Profile)
}

// Row answers what is recommended: a service.Recommendations.
func (t *Tier) Row(ctx context.Context, who passport.Passport, of RowOf) ([]byte, error) {
	return t.rows.Get(ctx, rowKey(who, of))
}

// Films answers what the films are, each a service.Video2; those that there are, in
// the order asked.
func (t *Tier) Films(ctx context.Context, ids []int) ([][]byte, error) {
	return parts(t.films.GetAll(ctx, filmKeys(ids)))
}

// Ratings answers what the user thinks of films, each a service.Rating; of those
// that have one.
func (t *Tier) Ratings(ctx context.Context, who passport.Passport, ids []int) ([][]byte, error) {
	return parts(t.ratings.GetAll(ctx, ratingKeys(who, ids)))
}

// The same for what is in memory; ok is false where that takes longer.

// PeekProfile is Profile.
func (t *Tier) PeekProfile(ctx context.Context, who passport.Passport) (b []byte, ok bool, err error) {
	a, ok := t.profiles.Peek(ctx, who.Profile)
	return a.Value, ok, a.Err
}

// PeekRow is Row.
func (t *Tier) PeekRow(ctx context.Context, who passport.Passport, of RowOf) (b []byte, ok bool, err error) {
	a, ok := t.rows.Peek(ctx, rowKey(who, of))
	return a.Value, ok, a.Err
}

// PeekFilms is Films.
func (t *Tier) PeekFilms(ctx context.Context, ids []int) ([][]byte, bool, error) {
	return peeked(t.films.PeekAll(ctx, filmKeys(ids)))
}

// PeekRatings is Ratings.
func (t *Tier) PeekRatings(ctx context.Context, who passport.Passport, ids []int) ([][]byte, bool, error) {
	return peeked(t.ratings.PeekAll(ctx, ratingKeys(who, ids)))
}

func filmKeys(ids []int) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = strconv.Itoa(id)
	}
	return keys
}

func ratingKeys(who passport.Passport, ids []int) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = ratingKey(who, id)
	}
	return keys
}

func peeked(answers []warm.Answer[[]byte], ok bool) ([][]byte, bool, error) {
	if !ok {
		return nil, false, nil
	}
	b, err := parts(answers, nil)
	return b, true, err
}

// parts are the values that there are; an answer that failed fails them all.
func parts(answers []warm.Answer[[]byte], err error) ([][]byte, error) {
	if err != nil {
		return nil, err
	}
	there := make([][]byte, 0, len(answers))
	for _, a := range answers {
		switch {
		case a.Err == nil:
			there = append(there, a.Value)
		case !missing(a.Err):
			return nil, a.Err
		}
	}
	return there, nil
}
