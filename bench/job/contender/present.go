package contender

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Present returns those of the contenders named that can run on this machine, in the
// order of [All], once each; why the others can't goes to w, a line for each. It may
// take minutes where one of them is not installed yet. An error is ctx's, a name's
// that is none, or says that there is nobody left.
func Present(ctx context.Context, names []string, w io.Writer) ([]Contender, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		if _, err := Find(name); err != nil {
			return nil, err
		}
		wanted[name] = true
	}
	var there []Contender
	for _, c := range All() {
		if !wanted[c.Name] {
			continue
		}
		if c.Present != nil {
			err := c.Present(ctx)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(w, "%s is left out: %v\n", c.Name, err)
				continue
			}
		}
		there = append(there, c)
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("nothing to measure: none of %s can run on this machine", strings.Join(names, ", "))
	}
	return there, nil
}

// PresentNames are the names of [Present].
func PresentNames(ctx context.Context, names []string, w io.Writer) (there []string, err error) {
	cs, err := Present(ctx, names, w)
	for _, c := range cs {
		there = append(there, c.Name)
	}
	return there, err
}
