package declare_test

import (
	"fmt"
	"testing"

	"warmline.dev/edgelayer/declare"
	"warmline.dev/examples"
	"warmline.dev/internal/golden"
)

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
func TestEveryMistakeIsListed(t *testing.T) { golden.Mistakes(t, declare.Parse) }
