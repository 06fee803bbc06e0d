package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// fetch gets the key set from where the configuration says.
func (v *Verifier) fetch(ctx context.Context) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.Timeout)
	defer cancel()
	get := v.fromURL
	if v.cfg.File != "" {
		get = v.fromFile
	}
	text, err := get(ctx)
	if err != nil {
		return nil, err
	}
	return parseKeys(text, v.algorithms)
}

func (v *Verifier) fromFile(context.Context) ([]byte, error) {
	info, err := os.Stat(v.cfg.File)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a file", v.cfg.File)
	}
	f, err := os.Open(v.cfg.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSet+1))
}

func (v *Verifier) fromURL(ctx context.Context) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.cfg.URL, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := v.cfg.Client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // the query may be secret
			err = u.Err
		}
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d, expected 200", answer.StatusCode)
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxSet+1))
}
