package passport_test

import (
	"testing"

	"warmline.dev/passport"
)

func TestLevelsRiseAndHaveNames(t *testing.T) {
	var zero passport.Passport
	if zero.Level != passport.Anonymous || passport.Anonymous >= passport.Recognised || passport.Recognised >= passport.Authenticated {
		t.Errorf("the levels are %d, %d, %d", passport.Anonymous, passport.Recognised, passport.Authenticated)
	}
	for level, want := range map[passport.Level]string{0: "anonymous", 1: "recognised", 2: "authenticated", 3: "level 3"} {
		if s := level.String(); s != want {
			t.Errorf("%d is %q, want %q", level, s, want)
		}
	}
}
