package tier

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// Config is what a tier is made of.
type Config struct {
	// Marshal encodes values in the form in which they are kept and sent. Required.
	Marshal func(v any) ([]byte, error)
	// Source is what is done before a value is made up: the time that a mid-tier
	// service takes, or its failure. Default: nothing.
	Source func(ctx context.Context) error
	// TTL is how long a value is fresh. Default one hour: longer than a bench. Where
	// the source fails, what was read once is served for as long anyway, and so is
	// that there is nothing.
	TTL time.Duration
}

// Tier answers the questions of a device request. It is safe for concurrent use.
type Tier struct {
	Keys *passport.Keyring // that passports are opened with

	profiles, rows, films, ratings *warm.Cache[[]byte]
}

// New makes a tier whose caches are cold; see [Tier.Warm]. It lives as long as its process.
func New(cfg Config) (*Tier, error) {
	t := &Tier{}
	var err error
	if t.Keys, err = keys(); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		into   **warm.Cache[[]byte]
		name   string
		makeUp func(key string) (v any, ok bool)
	}{
		{&t.profiles, "profile", profileAt},
		{&t.rows, "row", rowAt},
		{&t.films, "film", filmAt},
		{&t.ratings, "rating", ratingAt},
	} {
		if *c.into, err = cfg.cache(c.name, c.makeUp); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (cfg Config) cache(name string, makeUp func(key string) (any, bool)) (*warm.Cache[[]byte], error) {
	const long = time.Hour
	return warm.New(warm.Config[[]byte]{
		Source: "bench", Name: name, TTL: cmp.Or(cfg.TTL, long), StaleIfError: long, Missing: long, Batch: 100, Within: -1, // nothing waits for company
		Load: func(ctx context.Context, keys []string) (map[string][]byte, error) {
			if cfg.Source != nil {
				if err := cfg.Source(ctx); err != nil {
					return nil, err
				}
			}
			values := make(map[string][]byte, len(keys))
			for _, key := range keys {
				v, ok := makeUp(key)
				if !ok {
					continue
				}
				b, err := cfg.Marshal(v)
				if err != nil {
					return nil, err
				}
				values[key] = b
			}
			return values, nil
		},
	})
}

// Keys of the caches, and what is at them.

func rowKey(who passport.Passport, of RowOf) string {
	return who.Profile + "/" + of.Language + "/" + strconv.Itoa(of.Limit)
}

func ratingKey(who passport.Passport, film int) string { return who.Profile + "/" + strconv.Itoa(film) }

func profileAt(key string) (any, bool) {
	user, ok := userOf(key)
	return profile(user), ok
}

func rowAt(key string) (any, bool) {
	name, rest, _ := strings.Cut(key, "/")
	user, ok := userOf(name)
	_, digits, _ := strings.Cut(rest, "/")
	limit, err := strconv.Atoi(digits)
	if !ok || err != nil || limit < 1 || limit > 100 {
		return nil, false
	}
	return row(user, limit), true
}

func filmAt(key string) (any, bool) {
	id, err := strconv.Atoi(key)
	return film(id), err == nil && id >= 1 && id <= films
}

func ratingAt(key string) (any, bool) {
	name, digits, _ := strings.Cut(key, "/")
	user, ok := userOf(name)
	film, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return nil, false
	}
	r, ok := rating(user, film)
	return r, ok
}

// Warm asks every question that the users will ask, so that it is in memory.
func (t *Tier) Warm(ctx context.Context) error {
	for user := range Users {
		who := passport.Passport{Profile: UserName(user)}
		if _, err := t.Profile(ctx, who); err != nil {
			return err
		}
		if _, err := t.Row(ctx, who, RowOf{Limit, profile(user).Language}); err != nil {
			return err
		}
		var ids []int
		for _, r := range row(user, Limit).Items {
			ids = append(ids, r.ID)
		}
		if _, err := t.Films(ctx, ids); err != nil {
			return err
		}
		if _, err := t.Ratings(ctx, who, ids); err != nil {
			return err
		}
	}
	return nil
}

// missing tells that a key has no value.
func missing(err error) bool { return protocol.AsError(err).Code == protocol.NotFound }
