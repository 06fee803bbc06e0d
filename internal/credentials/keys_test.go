package credentials_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/logged"
	"warmline.dev/passport"
)

func lines(keys ...passport.Key) string {
	var text strings.Builder
	for _, k := range keys {
		text.WriteString(k.Format() + "\n")
	}
	return text.String()
}

// names of keys, the first of them first.
func names(keys []passport.Key) string {
	var list []string
	for _, k := range keys {
		list = append(list, k.Name)
	}
	return strings.Join(list, " ")
}

func TestPassportKeysAreReadAgain(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	file := write(t, filepath.Join(t.TempDir(), "keys"), lines(older))
	var log logged.Log
	c, err := credentials.Open(credentials.Files{Passports: file}, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	ring := c.Keys().Ring()
	var followed []string
	if err := c.Keys().Follow(func(list []passport.Key) error {
		followed = append(followed, names(list))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	seal := func() []byte {
		b, err := ring.Seal(passport.Passport{Issued: now, Expires: now.Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	opens := func(b []byte) bool {
		_, err := ring.Open(b, now)
		return err == nil
	}
	old := seal()
	write(t, file, lines(newer, older))
	c.Reload() // at once
	young := seal()
	if !opens(old) || !opens(young) {
		t.Error("the keys are others")
	}
	// A mistake changes nothing, is told once, and shows no secret.
	for i, text := range []string{"", lines(newer) + "older:" + older.Format()[6:20] + "\n", older.Format()[6:] + ":older", lines(newer, newer)} {
		write(t, file, text)
		c.Reload()
		c.Reload()
		if got := log.String(); strings.Count(got, "not read again") != i+1 || !strings.Contains(got, file) {
			t.Errorf("mistake %d: %s", i+1, got)
		}
		if !opens(old) || !opens(young) {
			t.Error("the keys are others")
		}
	}
	// It is looked at by itself, too.
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx)
	}()
	write(t, file, lines(newer))
	await.Until(t, "the old key to be retired", func() bool { return !opens(old) })
	cancel()
	<-ended
	if !opens(young) || ring != c.Keys().Ring() {
		t.Error("the new key is gone")
	}
	if got := strings.Join(followed, ", "); got != "older, newer older, newer" {
		t.Error("who follows was told: ", got)
	}
	for _, k := range []passport.Key{older, newer} {
		if secret := strings.TrimPrefix(k.Format(), k.Name+":"); strings.Contains(log.String(), secret[:8]) {
			t.Errorf("a key is in the log: %s", log.String())
		}
	}
}

func TestPassportKeysThatAreWrong(t *testing.T) {
	if _, err := credentials.Open(credentials.Files{Passports: "no/such.keys"}, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "passport keys: ") || !strings.Contains(err.Error(), "no/such.keys") {
		t.Error(err)
	}
	key := passport.NewKey("k")
	file := write(t, filepath.Join(t.TempDir(), "keys"), key.Format()[:30])
	if _, err := credentials.Open(credentials.Files{Passports: file}, zerolog.Nop()); err == nil || !strings.HasPrefix(err.Error(), file+": passport keys: entry 1 ") || strings.Contains(err.Error(), key.Format()[2:20]) {
		t.Error(err)
	}
	if c, err := credentials.Open(credentials.Files{}, zerolog.Nop()); err != nil || c.Keys() != nil {
		t.Error(c, err)
	}
	if _, err := credentials.NewKeys(); err == nil {
		t.Error("none were taken")
	}
}

// Who can't use the keys follows nothing.
func TestWhoCannotUseTheKeysSaysSoAtOnce(t *testing.T) {
	k, err := credentials.NewKeys(passport.NewKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad")
	if err := k.Follow(func([]passport.Key) error { return bad }); !errors.Is(err, bad) {
		t.Error(err)
	}
}
