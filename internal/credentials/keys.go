package credentials

import (
	"errors"
	"sync"

	"warmline.dev/passport"
)

// Keys are the passport keys of a process. Make them with [NewKeys], or have them from
// a file, which they follow ([Credentials.Keys]). All methods are safe for concurrent
// use.
type Keys struct {
	ring *passport.Keyring

	mu sync.Mutex
	// guarded by mu
	list      []passport.Key
	followers []func(list []passport.Key) error
}

// NewKeys makes keys that stay as they are. The error is [passport.NewKeyring]'s.
func NewKeys(list ...passport.Key) (*Keys, error) {
	ring, err := passport.NewKeyring(list...)
	if err != nil {
		return nil, err
	}
	return &Keys{ring: ring, list: list}, nil
}

// Ring is the keyring, which is the same as long as the keys are there, and has new
// ones when they are replaced.
func (k *Keys) Ring() *passport.Keyring { return k.ring }

// Follow gives f the keys, at once and each time when they are replaced: what else is
// derived from them changes with them. The error is f's at once. Later keys are good
// ones, too, and f is to take them. It must not call the Keys.
func (k *Keys) Follow(f func(list []passport.Key) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := f(k.list); err != nil {
		return err
	}
	k.followers = append(k.followers, f)
	return nil
}

// replace changes nothing if the keys are not good.
func (k *Keys) replace(list []passport.Key) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ring.Replace(list...); err != nil {
		return err
	}
	k.list = list
	var errs []error
	for _, f := range k.followers {
		errs = append(errs, f(list))
	}
	return errors.Join(errs...)
}
