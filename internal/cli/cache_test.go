package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/await"
)

// startAdmin starts an admin port of an edge with the sources catalogue, members
// and ratings, and returns its URL.
func startAdmin(t *testing.T, invalidate func(warm.Invalidation) (admin.Result, error)) string {
	t.Helper()
	port, err := admin.StartEdge(t.Context(), admin.Config{Address: "127.0.0.1:0"}, admin.Edge{
		Stats: func() edgelayer.Stats {
			return edgelayer.Stats{Sources: map[string]source.Stats{"catalogue": {}, "members": {}, "ratings": {}}}
		},
		Invalidate: func(_ context.Context, i warm.Invalidation) (admin.Result, error) { return invalidate(i) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := port.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
	})
	return "http://" + port.Address()
}

func TestCacheInvalidate(t *testing.T) {
	var asked warm.Invalidation
	at := startAdmin(t, func(i warm.Invalidation) (admin.Result, error) {
		asked = i
		switch i.Source {
		case "members":
			return admin.Result{Dropped: 2}, errors.New("nobody is there")
		case "ratings":
			return admin.Result{Dropped: 0, Bus: admin.NoBus}, nil
		}
		return admin.Result{Dropped: 1 + strings.Count(i.Prefix, "/"), Bus: admin.Told}, nil
	})
	for _, c := range []struct {
		args        []string
		want        warm.Invalidation
		code        int
		stdout, err string
	}{
		{
			[]string{"catalogue", "17"},
			warm.Invalidation{Source: "catalogue", Key: "17"},
			exitOK, `dropped 1 entry at this edge ("17" of catalogue); the bus was told`, "",
		},
		{
			[]string{"catalogue.film", "--", "-17"},
			warm.Invalidation{Source: "catalogue", Read: "film", Key: "-17"},
			exitOK, `dropped 1 entry at this edge ("-17" of catalogue.film); the bus was told`, "",
		},
		{
			[]string{"catalogue.film", "fr/", "--prefix"},
			warm.Invalidation{Source: "catalogue", Read: "film", Prefix: "fr/"},
			exitOK, `dropped 2 entries at this edge ("fr/"* of catalogue.film); the bus was told`, "",
		},
		{
			[]string{"ratings", "--all"},
			warm.Invalidation{Source: "ratings", All: true},
			exitOK, "dropped 0 entries at this edge (all of ratings); there is no bus, so no other edge was told", "",
		},
		{
			[]string{"members", "--all"},
			warm.Invalidation{Source: "members", All: true},
			exitFailed, "", "dropped 2 entries at this edge (all of members), but the other edges have not been told: nobody is there",
		},
		{
			[]string{"films", "17"},
			warm.Invalidation{},
			exitFailed, "", `404 Not Found: this edge has no source "films", only catalogue, members, ratings`,
		},
	} {
		asked = warm.Invalidation{}
		out, errs, code := command(t, "", append([]string{"cache", "invalidate", "--admin", at}, c.args...)...)
		if code != c.code || strings.TrimSuffix(out, "\n") != c.stdout || !strings.Contains(errs, c.err) || (errs == "") != (c.err == "") {
			t.Errorf("%q: exit %d, %q, %q", c.args, code, out, errs)
		}
		if diff := cmp.Diff(c.want, asked); diff != "" {
			t.Errorf("%q: %s", c.args, diff)
		}
	}
}

func TestCacheMistakesAreNotTried(t *testing.T) {
	at := startAdmin(t, func(i warm.Invalidation) (admin.Result, error) {
		t.Errorf("asked for %v", i)
		return admin.Result{Bus: admin.Told}, nil
	})
	for args, want := range map[string]string{
		"cache films":                                       "unknown command",
		"cache invalidate":                                  "expected SOURCE[.READ] and KEY, or SOURCE[.READ] --all",
		"cache invalidate catalogue":                        "expected SOURCE[.READ] and KEY, or SOURCE[.READ] --all",
		"cache invalidate catalogue 17 18":                  "expected SOURCE[.READ] and KEY, or SOURCE[.READ] --all",
		"cache invalidate catalogue 17 --all":               "and no KEY, with --all",
		"cache invalidate --all":                            "expected SOURCE[.READ], and no KEY, with --all",
		"cache invalidate catalogue fr/ --prefix --all":     "expected --prefix or --all, and not both",
		"cache invalidate catalogue --prefix":               "expected SOURCE[.READ] and KEY",
		"cache invalidate .film 17":                         `".film": expected SOURCE or SOURCE.READ`,
		"cache invalidate catalogue. 17":                    `"catalogue.": expected SOURCE or SOURCE.READ`,
		"cache invalidate catalogue EMPTY":                  "expected a KEY that is not empty",
		"cache invalidate catalogue 17 --every":             "see warmline cache invalidate --help",
		"cache invalidate catalogue 17 --admin 127.0.0.1:1": "--admin: the URL of an admin port: expected http://HOST:PORT",
	} {
		fields := strings.Fields(args)
		for n, f := range fields {
			if f == "EMPTY" {
				fields[n] = ""
			}
		}
		if !strings.Contains(args, "--admin") && strings.Contains(args, "invalidate") {
			fields = append(fields, "--admin", at)
		}
		if out, errs, code := command(t, "", fields...); code != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %q, %q", args, code, out, errs)
		}
	}
}

func TestCacheWithoutAnEdgeFails(t *testing.T) {
	// Port 1 has nobody behind it.
	if _, errs, code := command(t, "", "cache", "invalidate", "catalogue", "17", "--admin", "http://127.0.0.1:1"); code != exitFailed || !strings.Contains(errs, "http://127.0.0.1:1: no answer from an edge's admin port") {
		t.Errorf("exit %d, %s", code, errs)
	}
	t.Setenv("WARMLINE_CACHE_INVALIDATE_ADMIN", "http://127.0.0.1:2")
	if _, errs, code := command(t, "", "cache", "invalidate", "catalogue", "17"); code != exitFailed || !strings.Contains(errs, "127.0.0.1:2") {
		t.Errorf("exit %d, %s", code, errs)
	}
}
