package token

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"
)

// Config is whose tokens are taken and how they are verified. 0 is the default.
type Config struct {
	// Issuer is what "iss" has to be. Required.
	Issuer string
	// Audience is what "aud" has to be, or have among others. Required.
	Audience string
	// File or URL is where the issuer's key set is. One of them is required. A URL is
	// https://, or http:// on the loopback: whoever answers it decides who is who.
	File, URL string
	// Algorithms are those taken, of RS, PS and ES with 256, 384 and 512, and EdDSA.
	// Default RS256, ES256 and EdDSA.
	Algorithms []string
	// Claims are where a passport's fields are.
	Claims Claims
	// Timeout bounds a fetch of the keys. Default 2 s.
	Timeout time.Duration
	// Refresh is how often the keys are fetched. Default 5 minutes, give or take a
	// tenth.
	Refresh time.Duration
	// Cooldown is how long the next fetch waits at least, after one that failed or
	// when a key is not known. Default 10 s.
	Cooldown time.Duration
	// Client fetches from URL. Default: one of the verifier's own, which follows no
	// redirects.
	Client *http.Client
	// Log is told when the keys can't be had, and when they can again. The zero
	// value is silent.
	Log zerolog.Logger
}

// Claims are the names of the claims that fill a passport, texts of at most 255
// bytes; one that is missing leaves its field empty. "-" is none. The customer is
// "sub".
type Claims struct {
	Profile string // default "profile"
	Plan    string // default "plan"
	Country string // default "country"
}

var defaultAlgorithms = []string{string(jose.RS256), string(jose.ES256), string(jose.EdDSA)}

// checked is cfg with its defaults, or what is wrong with it.
func (cfg Config) checked() (Config, error) {
	if cfg.Issuer == "" || cfg.Audience == "" {
		return cfg, errors.New("token: Issuer and Audience are required: without them tokens made for others would be taken")
	}
	if (cfg.File == "") == (cfg.URL == "") {
		return cfg, errors.New("token: expected the issuer's key set in either File or URL")
	}
	if cfg.URL != "" {
		if err := checkURL(cfg.URL); err != nil {
			return cfg, err
		}
	}
	if cfg.Timeout < 0 || cfg.Refresh < 0 || cfg.Cooldown < 0 {
		return cfg, fmt.Errorf("token: Timeout %v, Refresh %v, Cooldown %v: expected positive values", cfg.Timeout, cfg.Refresh, cfg.Cooldown)
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = defaultAlgorithms
	}
	cfg.Algorithms = slices.Clone(cfg.Algorithms)
	for _, a := range cfg.Algorithms {
		if keyTypes[jose.SignatureAlgorithm(a)] == nil {
			return cfg, fmt.Errorf("token: algorithm %.20q: expected RS, PS or ES with 256, 384 or 512, or EdDSA", a)
		}
	}
	orDefault(&cfg.Claims.Profile, "profile")
	orDefault(&cfg.Claims.Plan, "plan")
	orDefault(&cfg.Claims.Country, "country")
	orDefault(&cfg.Timeout, 2*time.Second)
	orDefault(&cfg.Refresh, 5*time.Minute)
	orDefault(&cfg.Cooldown, 10*time.Second)
	if cfg.Client == nil {
		cfg.Client = newClient()
	}
	return cfg, nil
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("token: URL: expected https://HOST/PATH without a user")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("token: URL %s://%s: expected https, or http on the loopback", u.Scheme, u.Host)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

func newClient() *http.Client {
	return &http.Client{
		// A fetch every few minutes needs no connection in between.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
