package service

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/sample"
)

// Config says where the sample services are.
type Config struct {
	// URLs are the base URLs by name, with spaces between several that stand for
	// each other; all of sample.Names are needed.
	URLs map[string]string
	// Timeout and Breaker apply to each source. The zero values are source's defaults.
	Timeout time.Duration
	Breaker source.Breaker
	Log     zerolog.Logger
}

// Tier is the services with the sources and caches they read. The caller closes it.
type Tier struct {
	Services []edgelayer.Service
	Sources  []*source.Source
	Caches   []edgelayer.Cache

	closers []func()
}

// New makes the services. Nothing is sent yet.
func New(cfg Config) (*Tier, error) {
	t := &Tier{}
	src := map[string]*source.Source{}
	for _, name := range sample.Names() {
		urls := strings.Fields(cfg.URLs[name])
		if len(urls) == 0 {
			return nil, fmt.Errorf("no URL for the source %s", name)
		}
		s, err := source.New(source.Config{Name: name, URLs: urls, Timeout: cfg.Timeout, Breaker: cfg.Breaker, Log: cfg.Log})
		if err != nil {
			return nil, err
		}
		src[name] = s
		t.Sources = append(t.Sources, s)
		t.closers = append(t.closers, s.Close)
	}
	profiles, err1 := cache[string, profile](t, "profiles", time.Minute)
	members, err2 := cache[string, Member](t, "members", time.Minute)
	recs, err3 := cache[recsKey, Recommendations](t, "recommendations", 30*time.Second)
	films, err4 := cache[int, film](t, "catalogue", 10*time.Minute)
	rated, err5 := cache[ratingKey, string](t, "ratings", time.Minute)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Close()
		return nil, err
	}
	f := &catalogue{src["catalogue"], films}
	t.Services = []edgelayer.Service{
		profilesService(src["profiles"], profiles),
		membersService(src["members"], members),
		recommendationsService(src["recommendations"], recs),
		f.version1(),
		f.version2(),
		ratingsService(src["ratings"], rated),
	}
	return t, nil
}

// Close ends the goroutines of the caches and lets go of connections.
func (t *Tier) Close() {
	for _, c := range t.closers {
		c()
	}
}

func cache[K comparable, V any](t *Tier, name string, ttl time.Duration) (*warm.Cache[K, V], error) {
	c, err := warm.New[K, V](warm.Config{Name: name, TTL: ttl})
	if err == nil {
		t.Caches = append(t.Caches, c)
		t.closers = append(t.closers, c.Close)
	}
	return c, err
}
