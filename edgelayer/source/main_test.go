package source_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a mid-tier service and returns its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// newSource makes a source named "films" that is patient, unless cfg says otherwise.
func newSource(t *testing.T, cfg source.Config) *source.Source {
	t.Helper()
	cfg.Name = "films"
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	s, err := source.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// counted is what the source has counted, without what it has measured.
func counted(s *source.Source) source.Stats {
	st := s.Stats()
	st.Limit, st.Budget, st.P50, st.P95 = 0, 0, 0, 0
	return st
}

func get(s *source.Source) error {
	var into map[string]any
	return s.Get(context.Background(), "/x", nil, &into)
}

// want is err as an error with that code.
func want(t *testing.T, err error, code protocol.Code) *protocol.Error {
	t.Helper()
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("%v, want %v", err, code)
	}
	return e
}

func closed(s *source.Source) bool { return s.Stats().Breaker == "closed" }
