package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"warmline.dev/passport"
)

// Config is how cookies are made and read. 0 is the default.
type Config struct {
	// Keys seal the cookies: the first one seals, all of them open. A key that is
	// dropped signs out every device that was last here before its successor
	// sealed. Required.
	Keys []passport.Key
	// Name is the cookie's. Default "warmline". Browsers are held to what makes it
	// safe by a prefix that is put in front: "__Host-", or "__Secure-" where there
	// is a Domain or another Path than "/"; none if Insecure.
	Name string
	// Domain is whose hosts are sent the cookie. Default: the host that set it, only.
	Domain string
	// Path is under which the cookie is sent. Default "/".
	Path string
	// Insecure lets the cookie go over plain HTTP. For development.
	Insecure bool
	// SameSite is with which requests of other sites the cookie is sent. Default
	// http.SameSiteLaxMode; None is for HTTPS only.
	SameSite http.SameSite
	// Trust is for how long a cookie is trusted without asking anyone. Default 8 h;
	// negative: never. A cookie that was issued for longer is held to it too.
	Trust time.Duration
	// Life is for how long a device stays signed in, from its beginning on. Default
	// a year of 365 days. Browsers may keep a cookie for less: some, 400 days.
	Life time.Duration
	// Audience is where the cookies count, such as the name of an installation whose
	// keys are another's too. One of another audience is refused. Default: none.
	Audience string
}

const (
	maxText    = 255 // bytes of a text, the audience's too
	maxName    = 64  // bytes
	defaultAge = 365 * 24 * time.Hour
)

// checked is cfg with its defaults, or what is wrong with it.
func (cfg Config) checked() (Config, error) {
	// The rules for keys are the keyring's.
	if _, err := passport.NewKeyring(cfg.Keys...); err != nil {
		return cfg, fmt.Errorf("cookie: Keys: %w", err)
	}
	if cfg.Life < 0 {
		return cfg, fmt.Errorf("cookie: Life is %v, expected 0 (a year) or more", cfg.Life)
	}
	if len(cfg.Audience) > maxText {
		return cfg, fmt.Errorf("cookie: Audience has %d bytes, expected at most %d", len(cfg.Audience), maxText)
	}
	if cfg.Name == "" {
		cfg.Name = "warmline"
	}
	if cfg.Path == "" {
		cfg.Path = "/"
	}
	if cfg.SameSite == 0 {
		cfg.SameSite = http.SameSiteLaxMode
	}
	if cfg.Trust == 0 {
		cfg.Trust = 8 * time.Hour
	}
	cfg.Trust = max(cfg.Trust, 0)
	if cfg.Life == 0 {
		cfg.Life = defaultAge
	}
	return cfg, cfg.checkAttributes()
}

func (cfg Config) checkAttributes() error {
	switch cfg.SameSite {
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if cfg.Insecure {
			return errors.New("cookie: SameSite is None, which browsers take over HTTPS only: expected Lax or Strict with Insecure")
		}
	default:
		return fmt.Errorf("cookie: SameSite is %d, expected Lax, Strict or None", cfg.SameSite)
	}
	if len(cfg.Name) > maxName || strings.HasPrefix(cfg.Name, "__") {
		return fmt.Errorf("cookie: Name %.80q, expected at most %d bytes and no prefix: it is put in front by itself", cfg.Name, maxName)
	}
	if !strings.HasPrefix(cfg.Path, "/") {
		return fmt.Errorf("cookie: Path %.80q, expected one that begins with a slash", cfg.Path)
	}
	if len(cfg.Domain)+len(cfg.Path) > 512 {
		return fmt.Errorf("cookie: Domain and Path have %d bytes, expected at most 512", len(cfg.Domain)+len(cfg.Path))
	}
	c := http.Cookie{Name: cfg.Name, Domain: cfg.Domain, Path: cfg.Path}
	if err := c.Valid(); err != nil {
		return fmt.Errorf("cookie: Name %q, Domain %q, Path %q: %w", cfg.Name, cfg.Domain, cfg.Path, err)
	}
	return nil
}

// prefixed is the name that browsers know the cookie by (RFC 6265bis, 4.1.3).
func (cfg Config) prefixed() string {
	switch {
	case cfg.Insecure:
		return cfg.Name
	case cfg.Domain == "" && cfg.Path == "/":
		return "__Host-" + cfg.Name
	}
	return "__Secure-" + cfg.Name
}
