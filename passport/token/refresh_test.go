package token_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"

	"warmline.dev/passport/token"
)

// site is where the issuer's keys are, without a network.
type site struct {
	mu      sync.Mutex
	body    []byte
	err     error         // instead of an answer
	held    chan struct{} // an answer waits for it
	fetched int
}

func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.fetched++
	body, err, held := s.body, s.err, s.held
	s.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

func (s *site) set(change func(*site)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetched
}

// from is a verifier whose keys are at s, for a test inside a bubble: it closes it.
func (s *site) from(t *testing.T, cfg token.Config) *token.Verifier {
	t.Helper()
	cfg.URL, cfg.Client = "https://issuer.example/keys?secret", &http.Client{Transport: s}
	v, err := token.New(expected(cfg))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKeysRotate(t *testing.T) {
	before, after := sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, ecKey(), "ec", claims)
	synctest.Test(t, func(t *testing.T) {
		s := &site{body: set(jwk(edKey(), "ed", nil))}
		v := s.from(t, token.Config{})
		defer closed(t, v)
		opens(t, "the first token waits for the keys", v, before, now, golden)
		refused(t, "a key to come", v, after, now, token.ErrUnknownKey)
		s.set(func(s *site) { s.body = set(jwk(edKey(), "ed", nil), jwk(ecKey(), "ec", nil)) })
		refused(t, "a moment after the last fetch", v, after, now, token.ErrUnknownKey)
		time.Sleep(10 * time.Second)
		opens(t, "the new key, as soon as it may be asked for", v, after, now, golden)
		opens(t, "the old key", v, before, now, golden)
		if n := s.count(); n != 2 {
			t.Errorf("fetched %d times, want 2", n)
		}
		// What the issuer drops is refused after a while without being asked.
		s.set(func(s *site) { s.body = set(jwk(ecKey(), "ec", nil)) })
		opens(t, "dropped, and not known yet", v, before, now, golden)
		time.Sleep(6 * time.Minute)
		refused(t, "dropped", v, before, now, token.ErrUnknownKey)
		opens(t, "the new key alone", v, after, now, golden)
	})
}

func TestTheFileIsReadAgain(t *testing.T) {
	before, after := sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, ecKey(), "ec", claims)
	synctest.Test(t, func(t *testing.T) {
		path := file(t, set(jwk(edKey(), "ed", nil)))
		v, err := token.New(expected(token.Config{File: path}))
		if err != nil {
			t.Fatal(err)
		}
		defer closed(t, v)
		opens(t, "before", v, before, now, golden)
		if err := os.WriteFile(path, set(jwk(ecKey(), "ec", nil)), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		opens(t, "after", v, after, now, golden)
		refused(t, "the old key", v, before, now, token.ErrUnknownKey)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		opens(t, "without a file", v, after, now, golden)
		if s := v.Status(); !errors.Is(s.Err, os.ErrNotExist) || s.Age(time.Now()) < 5*time.Minute {
			t.Errorf("%+v", s)
		}
	})
}

// Tokens with keys that nobody knows cost the issuer a request in ten seconds.
func TestUnknownKeysAreAskedForNowAndThen(t *testing.T) {
	unknown := sign(jose.ES256, otherKey(), "x", claims)
	synctest.Test(t, func(t *testing.T) {
		s := &site{body: issuerSet()}
		v := s.from(t, token.Config{Refresh: time.Hour})
		defer closed(t, v)
		for range 100 {
			var crowd sync.WaitGroup
			for range 10 {
				crowd.Go(func() { refused(t, "unknown", v, unknown, now, token.ErrUnknownKey) })
			}
			crowd.Wait()
			time.Sleep(time.Second)
		}
		if n := s.count(); n != 10 {
			t.Errorf("fetched %d times in 100 s, want 10", n)
		}
	})
}

func TestTheLastKeysCountWhileThereAreNoOthers(t *testing.T) {
	good, unknown := sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, otherKey(), "x", claims)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &site{body: issuerSet()}
		v := s.from(t, token.Config{Log: zerolog.New(&log)})
		defer closed(t, v)
		synctest.Wait()
		if st := v.Status(); st.Keys != 3 || st.Err != nil || st.Age(time.Now()) != 0 || !st.Loaded.Equal(time.Now()) {
			t.Errorf("%+v", st)
		}
		loaded := time.Now()
		for name, spoil := range map[string]func(*site){
			"down":    func(s *site) { s.err = errors.New("connection refused") },
			"garbage": func(s *site) { s.err, s.body = nil, []byte("<html>") },
			"empty":   func(s *site) { s.err, s.body = nil, []byte(`{"keys":[]}`) },
			"huge":    func(s *site) { s.err, s.body = nil, []byte(`{"keys":[`+strings.Repeat(" ", 1<<20)+`]}`) },
			"deep":    func(s *site) { s.err, s.body = nil, []byte(strings.Repeat("[", 200<<10)) },
			"hanging": func(s *site) { s.held = make(chan struct{}) },
		} {
			s.set(spoil)
			time.Sleep(6 * time.Minute)
			opens(t, name, v, good, now, golden)
			refused(t, name+": unknown", v, unknown, now, token.ErrUnknownKey)
			st := v.Status()
			if st.Err == nil || st.Keys != 3 || !st.Loaded.Equal(loaded) || st.Age(time.Now()) != time.Since(loaded) {
				t.Errorf("%s: %+v", name, st)
			}
			if st.Err != nil && (strings.Contains(st.Err.Error(), "secret") || len(st.Err.Error()) > 200) {
				t.Errorf("%s: %v", name, st.Err)
			}
			s.set(func(s *site) { s.held = nil })
		}
		// It comes back by itself, soon.
		s.set(func(s *site) { s.err, s.body = nil, issuerSet() })
		time.Sleep(13 * time.Second)
		if st := v.Status(); st.Err != nil || st.Age(time.Now()) > 13*time.Second {
			t.Errorf("%+v", st)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "can't be had") || !strings.Contains(log.String(), "here again") || strings.Contains(log.String(), "secret") {
			t.Errorf("the log:\n%s", log.String())
		}
	})
}

func TestNoKeysYet(t *testing.T) {
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	synctest.Test(t, func(t *testing.T) {
		s := &site{err: errors.New("connection refused")}
		v := s.from(t, token.Config{})
		defer closed(t, v)
		began := time.Now()
		refused(t, "never had", v, good, now, token.ErrNoKeys)
		refused(t, "never had, without kid", v, sign(jose.ES256, ecKey(), "", claims), now, token.ErrNoKeys)
		refused(t, "alg none, without keys", v, segment(`{"alg":"none"}`)+".e30.", now, token.ErrAlgorithm)
		time.Sleep(3 * time.Second)
		if st := v.Status(); st.Err == nil || st.Keys != 0 || !st.Loaded.IsZero() || st.Age(time.Now()) != time.Since(began) {
			t.Errorf("%+v", st)
		}
		s.set(func(s *site) { s.err, s.body = nil, issuerSet() })
		time.Sleep(8 * time.Second)
		opens(t, "had", v, good, now, golden)
	})
}

// Who waits for a key is held up no longer than the fetch may take, or its context.
func TestWaitingIsBounded(t *testing.T) {
	good, unknown := sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, otherKey(), "x", claims)
	synctest.Test(t, func(t *testing.T) {
		s := &site{body: issuerSet()}
		v := s.from(t, token.Config{Timeout: 3 * time.Second})
		defer closed(t, v)
		opens(t, "at first", v, good, now, golden)
		time.Sleep(20 * time.Second)
		s.set(func(s *site) { s.held = make(chan struct{}) })
		waited := func(ctx context.Context, text string) (time.Duration, error) {
			began := time.Now()
			_, err := v.Open(ctx, text, now)
			return time.Since(began), err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if d, err := waited(ctx, unknown); d != time.Second || err != token.ErrUnknownKey {
			t.Errorf("its context: %v, %v", d, err)
		}
		if d, err := waited(context.Background(), good); d != 0 || err != nil {
			t.Errorf("a key that is known: %v, %v", d, err)
		}
		if d, err := waited(context.Background(), unknown); d != 2*time.Second || err != token.ErrUnknownKey {
			t.Errorf("the fetch under way: %v, %v", d, err)
		}
		if d, err := waited(context.Background(), unknown); d != 0 || err != token.ErrUnknownKey {
			t.Errorf("just after it: %v, %v", d, err)
		}
	})
}

func TestCloseGivesUpAFetch(t *testing.T) {
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	synctest.Test(t, func(t *testing.T) {
		s := &site{body: issuerSet(), held: make(chan struct{})}
		var log bytes.Buffer
		v := s.from(t, token.Config{Timeout: time.Hour, Log: zerolog.New(&log)})
		synctest.Wait()
		waiting := make(chan error)
		go func() {
			_, err := v.Open(context.Background(), good, now)
			waiting <- err
		}()
		synctest.Wait()
		began := time.Now()
		closed(t, v)
		if err := <-waiting; err != token.ErrNoKeys || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(time.Hour)
		refused(t, "closed", v, good, now, token.ErrNoKeys)
		if n := s.count(); n != 1 || log.Len() > 0 {
			t.Errorf("fetched %d times; the log:\n%s", n, &log)
		}
	})
}

// Closed, it verifies with what it has, however many ask for more meanwhile.
func TestCloseWhileTokensCome(t *testing.T) {
	good, unknown := sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, otherKey(), "x", claims)
	for range 20 {
		v, err := token.New(expected(token.Config{File: file(t, issuerSet()), Cooldown: time.Nanosecond}))
		if err != nil {
			t.Fatal(err)
		}
		var crowd sync.WaitGroup
		for range 4 {
			crowd.Go(func() {
				for range 5 {
					refused(t, "unknown", v, unknown, now, token.ErrUnknownKey)
					opens(t, "known", v, good, now, golden)
				}
			})
		}
		closed(t, v)
		crowd.Wait()
	}
}

// Over a real connection, with the client that is used by default.
func TestKeysFromAServer(t *testing.T) {
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   string // of the error
	}{
		"keys":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(issuerSet()) }, ""},
		"500":        {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", 500) }, "HTTP 500, expected 200"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "HTTP 302, expected 200"},
		"without end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := w.Write(make([]byte, 16<<10)); err != nil {
					return
				}
			}
		}, "more than 262144 bytes"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("{"))
		}, "unexpected EOF"},
		"long headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "response headers exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.answer)
			defer server.Close()
			v, err := token.New(expected(token.Config{URL: server.URL + "/keys", Timeout: time.Minute}))
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, v)
			if tc.want == "" {
				opens(t, name, v, good, now, golden)
				return
			}
			refused(t, name, v, good, now, token.ErrNoKeys)
			if s := v.Status(); s.Err == nil || !strings.Contains(s.Err.Error(), tc.want) {
				t.Errorf("%v, want %s", s.Err, tc.want)
			}
		})
	}
}
