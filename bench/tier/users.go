package tier

import (
	"strconv"
	"strings"
	"time"

	"warmline.dev/passport"
)

// Users is how many people ask, one after another.
const Users = 1000

// UserName is the profile of a user, from 0.
func UserName(user int) string { return "user-" + strconv.Itoa(user) }

func userOf(profile string) (int, bool) {
	digits, ok := strings.CutPrefix(profile, "user-")
	if !ok {
		return 0, false
	}
	user, err := strconv.Atoi(digits)
	return user, err == nil && user >= 0 && user < Users
}

// keys are those of every process of a bench: they are nobody's secret.
func keys() (*passport.Keyring, error) {
	return passport.NewKeyring(passport.Key{Name: "bench", Secret: []byte(strings.Repeat("bench", 8))})
}

// Passports are those of all users, good for an hour.
func Passports() ([][]byte, error) {
	ring, err := keys()
	if err != nil {
		return nil, err
	}
	sealed := make([][]byte, Users)
	for user := range sealed {
		if sealed[user], err = ring.Seal(passport.Passport{
			Customer: "customer-" + strconv.Itoa(user), Profile: UserName(user), Plan: "two-stream", Country: "DE", Device: "tv",
			Level: passport.Recognised, Issued: time.Now(), Expires: time.Now().Add(time.Hour),
		}); err != nil {
			return nil, err
		}
	}
	return sealed, nil
}
