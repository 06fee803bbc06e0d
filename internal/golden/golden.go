// Package golden has tests compare what is said of the mistakes in a file with what is
// written beside it.
package golden

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/protocol/mistake"
)

var update = flag.Bool("update", false, "write what is said of testdata/mistakes beside it")

// Mistakes has each NAME.yaml of testdata/mistakes parsed. Parse finds mistakes in it,
// those of NAME.txt.
func Mistakes[T any](t *testing.T, parse func(file string, text []byte) (*T, error)) {
	for file, text := range files(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			v, err := parse(filepath.Base(file), text)
			if _, ok := errors.AsType[mistake.List](err); !ok || v != nil {
				t.Fatalf("got %v, %v; want mistakes", v, err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Seed has a fuzz target start with those files.
func Seed(f *testing.F) {
	for _, text := range files(f) {
		f.Add(text)
	}
}

func files(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	texts := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	return texts
}
