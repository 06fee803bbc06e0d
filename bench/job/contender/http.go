package contender

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
	"warmline.dev/passport"
)

// header carries the sealed passport, in base64.
const header = "Passport"

func marshalJSON(v any) ([]byte, error) { return json.Marshal(v) }

func serveHTTP1(ctx context.Context, l net.Listener, t *tier.Tier) error {
	return serveHTTP(ctx, l, &http.Server{Handler: routes(t)})
}

func serveHTTP2(ctx context.Context, l net.Listener, t *tier.Tier) error {
	return serveHTTP(ctx, l, &http.Server{Handler: routes(t), Protocols: h2c(), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}})
}

func serveHTTP(ctx context.Context, l net.Listener, s *http.Server) error {
	return until(ctx, func() error { return s.Serve(l) }, s.Shutdown)
}

func h2c() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// routes are the questions as a REST API has them.
func routes(t *tier.Tier) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(r *http.Request, who passport.Passport) ([]byte, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			sealed, err := base64.StdEncoding.DecodeString(r.Header.Get(header))
			var who passport.Passport
			if err == nil {
				who, err = t.Open(sealed)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
			b, err := answer(r, who)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header()["Content-Type"] = jsonType
			w.Header()["Content-Length"] = []string{strconv.Itoa(len(b))}
			_, _ = w.Write(b) // the client tells what is worth telling
		})
	}
	handle("GET /profile", func(r *http.Request, who passport.Passport) ([]byte, error) { return t.Profile(r.Context(), who) })
	handle("GET /recommendations", func(r *http.Request, who passport.Passport) ([]byte, error) {
		q := r.URL.Query()
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			return nil, err
		}
		return t.Row(r.Context(), who, tier.RowOf{Limit: limit, Language: q.Get("language")})
	})
	handle("GET /films", func(r *http.Request, _ passport.Passport) ([]byte, error) {
		ids, err := idsOf(r)
		if err != nil {
			return nil, err
		}
		parts, err := t.Films(r.Context(), ids)
		return jsonList("videos", parts), err
	})
	handle("GET /ratings", func(r *http.Request, who passport.Passport) ([]byte, error) {
		ids, err := idsOf(r)
		if err != nil {
			return nil, err
		}
		parts, err := t.Ratings(r.Context(), who, ids)
		return jsonList("ratings", parts), err
	})
	handle("GET /next", func(r *http.Request, _ passport.Passport) ([]byte, error) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil {
			return nil, err
		}
		return json.Marshal(tier.Number{N: n + 1})
	})
	return mux
}

var jsonType = []string{"application/json"}

func idsOf(r *http.Request) ([]int, error) {
	list := r.URL.Query().Get("ids")
	ids := make([]int, 0, strings.Count(list, ",")+1)
	for field := range strings.SplitSeq(list, ",") {
		id, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// jsonList is a list of values that are encoded already.
func jsonList(name string, parts [][]byte) []byte {
	size := len(name) + len(`{"":[]}`)
	for _, p := range parts {
		size += len(p) + 1
	}
	b := make([]byte, 0, size)
	b = append(append(append(b, `{"`...), name...), `":[`...)
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p...)
	}
	return append(b, `]}`...)
}

func dialHTTP1(_ context.Context, addresses []string, load Load) (Client, error) {
	// Films and ratings are asked for at once.
	transport := &http.Transport{MaxIdleConnsPerHost: 2*load.Concurrency + 100, DisableCompression: true}
	if load.Resilient {
		return dialResilientHTTP(addresses, transport), nil
	}
	return dialHTTP(addresses, transport), nil
}

func dialHTTP2(_ context.Context, addresses []string, _ Load) (Client, error) {
	return dialHTTP(addresses, &http.Transport{Protocols: h2c(), DisableCompression: true, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}}), nil
}

// dialHTTP takes turns among the addresses.
func dialHTTP(addresses []string, transport *http.Transport) Client {
	client := &http.Client{Transport: transport}
	var turn atomic.Uint64
	return OneByOne(func(_ context.Context, sealed []byte) (Asker, error) {
		at := addresses[turn.Add(1)%uint64(len(addresses))]
		return newHTTPAsker(sealed, (&httpServer{client: client, base: "http://" + at}).get), nil
	})
}

// httpAsker asks for paths, in whatever way.
type httpAsker struct {
	passport []string
	body     func(ctx context.Context, path string, passport []string) ([]byte, error)
}

func newHTTPAsker(sealed []byte, body func(context.Context, string, []string) ([]byte, error)) *httpAsker {
	return &httpAsker{[]string{base64.StdEncoding.EncodeToString(sealed)}, body}
}

func (*httpAsker) Close() {}

func (a *httpAsker) Profile(ctx context.Context) (p service.Profile, err error) {
	err = a.get(ctx, "/profile", &p)
	return p, err
}

func (a *httpAsker) Row(ctx context.Context, of tier.RowOf) (r service.Recommendations, err error) {
	err = a.get(ctx, "/recommendations?limit="+strconv.Itoa(of.Limit)+"&language="+of.Language, &r)
	return r, err
}

func (a *httpAsker) Films(ctx context.Context, ids []int) (f service.Videos2, err error) {
	err = a.get(ctx, "/films?ids="+join(ids), &f)
	return f, err
}

func (a *httpAsker) Ratings(ctx context.Context, ids []int) (r service.Ratings, err error) {
	err = a.get(ctx, "/ratings?ids="+join(ids), &r)
	return r, err
}

func (a *httpAsker) Next(ctx context.Context, n int) (int, error) {
	var next tier.Number
	err := a.get(ctx, "/next?n="+strconv.Itoa(n), &next)
	return next.N, err
}

func join(ids []int) string {
	b := make([]byte, 0, 5*len(ids))
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return string(b)
}

func (a *httpAsker) get(ctx context.Context, path string, into any) error {
	b, err := a.body(ctx, path, a.passport)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// httpServer is one that is asked.
type httpServer struct {
	client *http.Client
	base   string
}

// statusError is an answer that is none.
type statusError struct {
	path, status string
	code         int
	body         []byte
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: %s: %.200s", e.path, e.status, bytes.TrimSpace(e.body))
}

func (s *httpServer) get(ctx context.Context, path string, passport []string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header[header] = passport
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if resp.ContentLength > 0 {
		b.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, 1<<20)); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{path, resp.Status, resp.StatusCode, b.Bytes()}
	}
	return b.Bytes(), nil
}
