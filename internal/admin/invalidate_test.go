package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
)

const isJSON = "application/json"

func TestInvalidate(t *testing.T) {
	p := start(t, admin.Edge{})
	for body, want := range map[string]warm.Invalidation{
		`{"source":"catalogue","key":"17"}`:                  {Source: "catalogue", Key: "17"},
		`{"source":"catalogue","read":"film","prefix":"fr"}`: {Source: "catalogue", Read: "film", Prefix: "fr"},
		`{"source":"catalogue","all":true}`:                  {Source: "catalogue", All: true},
	} {
		for _, contentType := range []string{isJSON, "Application/JSON; charset=utf-8"} {
			status, header, text := p.ask("POST /invalidate", body, "Content-Type", contentType)
			if status != http.StatusOK || header.Get("Content-Type") != isJSON || text != `{"dropped":1,"bus":"told"}`+"\n" {
				t.Errorf("%s: %d %v %s", body, status, header, text)
			}
			if diff := cmp.Diff([]warm.Invalidation{want}, p.dropped()); diff != "" {
				t.Errorf("%s: %s", body, diff)
			}
		}
	}
}

func TestBusThatIsNotToldIsSaid(t *testing.T) {
	p := start(t, admin.Edge{})
	status, header, text := p.ask("POST /invalidate", `{"source":"members","all":true}`, "Content-Type", isJSON)
	if want := `{"dropped":3,"bus":"not told","error":"no bus at 10.0.0.9:4222"}` + "\n"; status != http.StatusServiceUnavailable || header.Get("Content-Type") != isJSON || text != want {
		t.Errorf("%d %v %s", status, header, text)
	}
}

func TestInvalidationsThatAreMistakes(t *testing.T) {
	p := start(t, admin.Edge{})
	example := `expected, {"source":"catalogue","key":"17"}`
	for _, c := range []struct {
		contentType, body string
		status            int
		want              string
	}{
		{isJSON, "", http.StatusBadRequest, example},
		{isJSON, "17", http.StatusBadRequest, example},
		{isJSON, `{"source":"catalogue","key":"17"} {}`, http.StatusBadRequest, example},
		{isJSON, `{"source":"catalogue","key":17}`, http.StatusBadRequest, example},
		{isJSON, strings.Repeat("[", 4000), http.StatusBadRequest, example},
		{isJSON, `{"source":"catalogue"}`, http.StatusBadRequest, "one of a key, a prefix and all"},
		{isJSON, `{"key":"17"}`, http.StatusBadRequest, "names a source"},
		{isJSON, `{"source":"catalogue","key":"17","all":true}`, http.StatusBadRequest, "one of a key, a prefix and all"},
		{isJSON, `{"source":"catalogue","key":"` + strings.Repeat("x", warm.MaxInvalidation) + `"}`, http.StatusRequestEntityTooLarge, "more than 4096 bytes"},
		{isJSON, `{"source":"films","key":"17"}`, http.StatusNotFound, `no source "films", only catalogue, members`},
		{"", `{"source":"catalogue","key":"17"}`, http.StatusUnsupportedMediaType, "expected application/json"},
		{"text/plain", `{"source":"catalogue","key":"17"}`, http.StatusUnsupportedMediaType, "expected application/json"},
		{"application/x-www-form-urlencoded", `{"source":"catalogue","key":"17"}`, http.StatusUnsupportedMediaType, "expected application/json"},
		{"text/plain; a=application/json", `{"source":"catalogue","key":"17"}`, http.StatusUnsupportedMediaType, "expected application/json"},
		{"application/jsonp", `{"source":"catalogue","key":"17"}`, http.StatusUnsupportedMediaType, "expected application/json"},
	} {
		headers := []string{"Content-Type", c.contentType}
		if c.contentType == "" {
			headers = nil
		}
		if status, _, text := p.ask("POST /invalidate", c.body, headers...); status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %.60s: %d %s, want %d %s", c.contentType, c.body, status, text, c.status, c.want)
		}
	}
	if got := p.dropped(); got != nil {
		t.Errorf("dropped %v", got)
	}
}

func TestEdgeWithoutSources(t *testing.T) {
	p := start(t, admin.Edge{Stats: func() edgelayer.Stats { return edgelayer.Stats{} }})
	if status, _, text := p.ask("POST /invalidate", `{"source":"films","all":true}`, "Content-Type", isJSON); status != http.StatusNotFound || !strings.Contains(text, "only none at all") {
		t.Errorf("%d %s", status, text)
	}
}
