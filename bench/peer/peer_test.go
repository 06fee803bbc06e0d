package peer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestASourceThatHangsCostsItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s source
		read := func() (took time.Duration, err error) {
			begun := time.Now()
			err = s.read(t.Context())
			return time.Since(begun), err
		}
		if took, err := read(); took != 0 || err != nil {
			t.Errorf("it answers after %v, %v", took, err)
		}
		s.hang(true)
		s.hang(true)
		if took, err := read(); took != SourceTimeout || !errors.Is(err, errHung) {
			t.Errorf("it hangs for %v, %v", took, err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := s.read(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.AfterFunc(SourceTimeout/2, func() { s.hang(false) })
		if took, err := read(); took != SourceTimeout/2 || err != nil {
			t.Errorf("it heals after %v, %v", took, err)
		}
		s.hang(false)
		if took, err := read(); took != 0 || err != nil {
			t.Errorf("it answers after %v, %v", took, err)
		}
	})
}

func TestErrorsOfAKindAreOne(t *testing.T) {
	do := ofAKind(func(_ context.Context, i int) error {
		return errors.Join(
			fmt.Errorf(`Get "http://127.0.0.1:%d/films?ids=%d,2": read tcp 127.0.0.1:%d->127.0.0.1:%d: connection reset by peer`, 1000+i, i, 2000+i, 3000+i),
			fmt.Errorf("a second one of %d", i))
	})
	const want = `Get "http://…/films…": read tcp …->…: connection reset by peer`
	for i := range 2 {
		if err := do(t.Context(), i); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := ofAKind(func(context.Context, int) error { return nil })(t.Context(), 0); err != nil {
		t.Error(err)
	}
}
