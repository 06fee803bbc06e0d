package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// keyList is what a file of hot keys holds: keys of each cache, hottest first.
type keyList struct {
	Caches []hotKeys `json:"caches"`
}

type hotKeys struct {
	Cache string   `json:"cache"`
	Shape string   `json:"shape"`
	Keys  []string `json:"keys"`
}

const (
	maxKeys     = 10_000   // of one cache
	maxKeysFile = 32 << 20 // bytes
)

// SaveKeys writes what is hot to a file, in one step: one that was there is replaced
// or left as it was. It is left, too, by an edge in which nothing is hot: it may not
// have got that far.
func SaveKeys(path string, memories []Memory) error {
	var list keyList
	cold := true
	for _, m := range memories {
		hot := hotKeys{Cache: m.Name, Shape: m.Shape}
		for _, e := range m.Cache.Hottest(defaultMaxBytes) {
			if len(hot.Keys) == maxKeys {
				break
			}
			hot.Keys = append(hot.Keys, e.Key)
			cold = false
		}
		list.Caches = append(list.Caches, hot)
	}
	if cold {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("hot keys: %w", err)
	}
	err = json.NewEncoder(f).Encode(list)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it may have been renamed
		return fmt.Errorf("hot keys: %w", err)
	}
	return nil
}

// LoadKeys loads what a file says was hot from the sources, until ctx ends, a bit of
// each cache in turn. It returns how many values there are then. A file that is not
// there is no error.
func LoadKeys(ctx context.Context, path string, memories []Memory, progress func(loaded int)) (loaded int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("hot keys: %w", err)
	}
	defer f.Close()
	var list keyList
	if err := json.NewDecoder(io.LimitReader(f, maxKeysFile)).Decode(&list); err != nil {
		return 0, fmt.Errorf("hot keys: %s is not what this command wrote: %w", path, err)
	}
	const few = 100
	for more := true; more && ctx.Err() == nil; {
		more = false
		for i := range list.Caches {
			hot := &list.Caches[i]
			some := hot.Keys[:min(few, len(hot.Keys))]
			hot.Keys = hot.Keys[len(some):]
			for _, m := range memories {
				if len(some) > 0 && m.Name == hot.Cache && m.Shape == hot.Shape {
					loaded += m.Cache.Warm(ctx, some)
					more = true
					progress(loaded)
				}
			}
		}
	}
	return loaded, ctx.Err()
}
