package source

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Config is how a source is reached and how much is put up with.
type Config struct {
	// Name stands in errors, logs and figures.
	Name string
	// URLs are what paths are appended to: http://127.0.0.1:9101. One is
	// required. Attempts take turns among several, and a retry or a hedge goes to
	// another one than the attempt before it. One that fails is left alone for
	// five seconds, as long as there is another.
	URLs []string
	// Timeout bounds a request with its retries and hedge. Default 400 ms;
	// negative: only its context does.
	Timeout time.Duration
	// MaxBody bounds an answer, in bytes. Default 1 MiB.
	MaxBody int64
	// Limit is how many may be under way at once.
	Limit Limit
	// Breaker decides when the source is left alone.
	Breaker Breaker
	// Retry and Hedge are for safe requests: GET, HEAD, and what says that it is.
	Retry Retry
	Hedge Hedge
	// Budget is how many retries and hedges there may be for each request, so
	// that a source in trouble is not asked twice as much. Up to ten are saved up,
	// and are there at the start. Default 0.2; negative: no bound.
	Budget float64
	// Client sends the requests. Default: one of the source's own, which follows
	// no redirects and opens no more connections to a URL than Limit.Most.
	Client *http.Client
	// Log is told when the breaker changes, and when one of several URLs is left
	// alone. The zero value is silent.
	Log zerolog.Logger
}

// Limit is how many requests may be under way at once; a hedge counts as one
// more. Beyond it a request is refused at once as overloaded.
type Limit struct {
	// The limit is measured, from how long answers take while there are more and
	// fewer requests, and from timeouts. It begins at Most and stays between the
	// two. Least is what a burst after a quiet time may count on. Defaults 16, or
	// Most if that is less, and 64, or Least if that is more. A negative Most
	// switches the limit off.
	Least, Most int
}

// Breaker is when a source's circuit breaker opens and for how long. It counts
// requests with their retries.
type Breaker struct {
	// Window is how far back failures count. Default 10 s.
	Window time.Duration
	// Failures of at least FailureRatio of the requests in the window open it,
	// once there were MinRequests. Defaults 0.5 and 5. A negative MinRequests
	// switches the breaker off.
	FailureRatio float64
	MinRequests  int
	// OpenFor is how long it stays open before one request is let through to
	// try. Default 2 s.
	OpenFor time.Duration
}

// Retry is how often a safe request is sent again that failed for no reason of
// its own: no connection or one that broke, garbage, HTTP 429, 502, 503 or 504.
// What is not safe is sent again only if nothing was sent at all.
type Retry struct {
	// Attempts are how often a request may be sent, the first time included.
	// Default 2; negative: off.
	Attempts int
	// Backoff is the pause before the second attempt, give or take half of it,
	// and doubles with each further one. Default 10 ms; negative: none.
	// A Retry-After that asks for more is obeyed if there is time.
	Backoff time.Duration
}

// Hedge is when a safe request that is slow is sent once more: the first of the
// two answers counts, and the other attempt is cancelled.
type Hedge struct {
	// After which share of recent answers the one under way is slow. Default
	// 0.95; negative: off. There is no hedge before 64 answers are known, nor in
	// the first millisecond.
	Quantile float64
}

// checked is cfg with its defaults, or what is wrong with it.
func (cfg Config) checked() (Config, error) {
	if err := cfg.check(); err != nil {
		return cfg, fmt.Errorf("source %q: %w", cfg.Name, err)
	}
	cfg.URLs = slices.Clone(cfg.URLs)
	for i, u := range cfg.URLs {
		cfg.URLs[i] = strings.TrimSuffix(u, "/")
	}
	orDefault(&cfg.Timeout, 400*time.Millisecond)
	orDefault(&cfg.MaxBody, 1<<20)
	cfg.MaxBody = min(cfg.MaxBody, math.MaxInt64-1) // one more is read, to tell
	orDefault(&cfg.Limit.Most, max(64, cfg.Limit.Least))
	orDefault(&cfg.Limit.Least, min(16, cfg.Limit.Most))
	orDefault(&cfg.Breaker.Window, 10*time.Second)
	orDefault(&cfg.Breaker.FailureRatio, 0.5)
	orDefault(&cfg.Breaker.MinRequests, 5)
	orDefault(&cfg.Breaker.OpenFor, 2*time.Second)
	orDefault(&cfg.Retry.Attempts, 2)
	orDefault(&cfg.Retry.Backoff, 10*time.Millisecond)
	orDefault(&cfg.Hedge.Quantile, 0.95)
	orDefault(&cfg.Budget, 0.2)
	return cfg, nil
}

func (cfg Config) check() error {
	if len(cfg.URLs) == 0 {
		return fmt.Errorf("no URL: expected http://HOST:PORT")
	}
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("URL %q: expected http://HOST:PORT", text)
		}
	}
	switch l := cfg.Limit; {
	case cfg.MaxBody < 0:
		return fmt.Errorf("answers of %d bytes: expected a positive number", cfg.MaxBody)
	case l.Least < 0, l.Most > 0 && l.Least > l.Most:
		return fmt.Errorf("a limit between %d and %d: expected 0 < Least <= Most", l.Least, l.Most)
	case cfg.Hedge.Quantile >= 1:
		return fmt.Errorf("a hedge after %v of the answers: expected less than 1", cfg.Hedge.Quantile)
	case cfg.Breaker.Window < 0, cfg.Breaker.OpenFor < 0, cfg.Breaker.FailureRatio < 0:
		return fmt.Errorf("a breaker with negative times or ratio: expected MinRequests -1 to switch it off")
	}
	return nil
}

// orDefault makes 0 the default.
func orDefault[T int | int64 | float64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}
