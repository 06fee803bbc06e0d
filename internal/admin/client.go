package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/credentials"
)

// ErrNotTold is wrapped by the error of [Invalidate] when the edge has dropped what
// it had, and the other edges have not been told.
var ErrNotTold = errors.New("the other edges have not been told")

// maxAnswer bounds what a port may answer, in bytes.
const maxAnswer = 64 << 10

// CheckURL says what is wrong with the URL of a port, nil if nothing is.
func CheckURL(at string) error {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// Not as it is: there may be a password in it.
		return fmt.Errorf("the URL of an admin port: expected http://HOST:PORT, such as http://%s", DefaultEdge)
	}
	return nil
}

// Client asks a port. The zero value is ready to use.
type Client struct {
	// TLS is for https URLs. Default: the system's roots.
	TLS *tls.Config
	// Token is what the port is shown, "" none. It is not sent in clear to another
	// machine.
	Token string
}

// Invalidate is [Client.Invalidate] by who shows nothing.
func Invalidate(ctx context.Context, at string, i warm.Invalidation) (Result, error) {
	return Client{}.Invalidate(ctx, at, i)
}

// Invalidate asks the port at a URL, http://HOST:PORT or https://HOST:PORT, to drop
// what has changed. The error wraps [ErrNotTold] if that was done at its edge alone:
// the Result is right then. Otherwise nothing is known to be dropped.
func (c Client) Invalidate(ctx context.Context, at string, i warm.Invalidation) (Result, error) {
	var none Result
	if err := errors.Join(CheckURL(at), i.Check()); err != nil {
		return none, err
	}
	if u, err := url.Parse(at); c.Token != "" && (err != nil || u.Scheme == "http" && !credentials.OnLoopback(u.Hostname())) {
		return none, fmt.Errorf("%s: a token is a secret, and whoever is on the way could read it: expected https://", at)
	}
	asked, err := json.Marshal(i)
	if err != nil {
		return none, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(at, "/")+"/invalidate", bytes.NewReader(asked))
	if err != nil {
		return none, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	// No proxy, and no other place than the one that was asked.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: c.TLS, MaxResponseHeaderBytes: maxHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which is there already
		}
		return none, fmt.Errorf("%s: no answer from an edge's admin port: %w", at, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return none, fmt.Errorf("%s: the answer broke off: %w", at, err)
	}
	var result Result
	is := json.Unmarshal(text, &result) == nil && result.Bus != ""
	switch {
	case is && res.StatusCode == http.StatusOK:
		return result, nil
	case is && res.StatusCode == http.StatusServiceUnavailable:
		return result, fmt.Errorf("%w: %s", ErrNotTold, oneLine(result.Error))
	case res.StatusCode == http.StatusOK:
		return none, fmt.Errorf("%s: expected the admin port of an edge, which answers in JSON, and got %q", at, oneLine(string(text)))
	}
	return none, fmt.Errorf("%s: %s: %s", at, oneLine(res.Status), oneLine(string(text)))
}

// oneLine is the beginning of what a server said, fit for a terminal.
func oneLine(text string) string {
	const most = 500
	fit := strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(fit) > most {
		return strings.ToValidUTF8(fit[:most], "") + "…"
	}
	return fit
}
