package declare_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/declare"
	"warmline.dev/examples"
)

var update = flag.Bool("update", false, "write what Parse says into testdata")

func TestTheExampleIsRight(t *testing.T) {
	d, err := declare.Parse("edge.yaml", examples.Edge)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(d.SourceNames()), "[profiles members recommendations catalogue ratings accounts]"; got != want {
		t.Errorf("sources %s, want %s", got, want)
	}
}

// Each file of testdata/mistakes has what Parse says of it beside it.
func TestEveryMistakeIsListed(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := declare.Parse(filepath.Base(file), text)
			if _, ok := errors.AsType[declare.Mistakes](err); !ok || d != nil {
				t.Fatalf("got %v, %v; want mistakes", d, err)
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
