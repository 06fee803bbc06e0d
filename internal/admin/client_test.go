package admin_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
)

func TestClientAsksThePort(t *testing.T) {
	p := start(t, admin.Edge{})
	at := "http://" + p.Address()
	before := goleak.IgnoreCurrent()
	defer func() { goleak.VerifyNone(t, before) }() // no connection is left behind, though the port is still there
	for _, i := range []warm.Invalidation{
		{Source: "catalogue", Key: `<"17">`},
		{Source: "catalogue", Read: "film", Prefix: "fr"},
		{Source: "catalogue", All: true},
	} {
		r, err := admin.Invalidate(t.Context(), at+"/", i)
		if err != nil || r != (admin.Result{Dropped: 1, Bus: admin.Told}) {
			t.Errorf("%v: %+v, %v", i, r, err)
		}
		if diff := cmp.Diff([]warm.Invalidation{i}, p.dropped()); diff != "" {
			t.Error(diff)
		}
	}

	r, err := admin.Invalidate(t.Context(), at, warm.Invalidation{Source: "members", All: true})
	if !errors.Is(err, admin.ErrNotTold) || !strings.Contains(err.Error(), errNoBus.Error()) || r.Dropped != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = admin.Invalidate(t.Context(), at, warm.Invalidation{Source: "films", All: true})
	if err == nil || !strings.Contains(err.Error(), `404 Not Found: this edge has no source "films", only catalogue, members`) {
		t.Error(err)
	}
	_, err = admin.Invalidate(t.Context(), at, warm.Invalidation{Source: "catalogue"})
	if err == nil || !strings.Contains(err.Error(), "one of a key, a prefix and all") {
		t.Error(err)
	}
}

func TestClientBelievesNoOtherServer(t *testing.T) {
	asked := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/elsewhere/invalidate":
			http.Redirect(w, r, "/followed/invalidate", http.StatusTemporaryRedirect)
		case "/page/invalidate":
			_, _ = io.WriteString(w, "<html>\x1b[2J welcome\n\n</html>")
		case "/object/invalidate":
			_, _ = io.WriteString(w, `{"dropped":1}`)
		case "/busy/invalidate":
			http.Error(w, "come\tback\x07 later", http.StatusServiceUnavailable)
		case "/endless/invalidate":
			w.WriteHeader(http.StatusBadGateway)
			for {
				if _, err := fmt.Fprint(w, strings.Repeat("é", 1000)); err != nil {
					return
				}
			}
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	defer web.Close()
	for path, want := range map[string]string{
		"/elsewhere": "307 Temporary Redirect",
		"/page":      `expected the admin port of an edge, which answers in JSON, and got "<html> [2J welcome </html>"`,
		"/object":    "expected the admin port of an edge",
		"/busy":      "503 Service Unavailable: come back later",
		"/endless":   "502 Bad Gateway: ééé",
	} {
		_, err := admin.Invalidate(t.Context(), web.URL+path, warm.Invalidation{Source: "catalogue", All: true})
		if err == nil || errors.Is(err, admin.ErrNotTold) || !strings.Contains(err.Error(), want) || len(err.Error()) > 700 {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if asked != 5 {
		t.Errorf("asked %d times", asked)
	}
}

func TestClientWantsAURLAndDoesNotShowWhatIsInIt(t *testing.T) {
	for _, at := range []string{
		"", "127.0.0.1:7071", "localhost:7071", "tcp://127.0.0.1:7070", "http://", "http://secret:secret@127.0.0.1:7071",
		"http://127.0.0.1:7071?secret", "http://127.0.0.1:7071#secret", "http://127.0.0.1:secret",
	} {
		_, err := admin.Invalidate(t.Context(), at, warm.Invalidation{Source: "catalogue", All: true})
		if err == nil || !strings.Contains(err.Error(), "expected http://HOST:PORT") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", at, err)
		}
	}
}
