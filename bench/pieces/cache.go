package pieces

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"warmline.dev/edgelayer/warm"
)

func prepareCache(context.Context) (ready, error) {
	const size = 100_000
	one, _, err := filled(1)
	if err != nil {
		return ready{}, err
	}
	many, keys, err := filled(size)
	if err != nil {
		one.Close()
		return ready{}, err
	}
	ctx := context.Background()
	var turn atomic.Int64
	return ready{close: func() { one.Close(); many.Close() }, pieces: []piece{
		{name: "warm cache hit, parallel", measure: parallel(func(n int) error {
			for range n {
				if _, err := one.Get(ctx, "0"); err != nil {
					return err
				}
			}
			return nil
		}).measure},
		{name: "warm cache hit, parallel, of 100,000 keys", measure: parallel(func(n int) error {
			at := int(turn.Add(1)) * 4099 % size
			for range n {
				if _, err := many.Get(ctx, keys[at]); err != nil {
					return err
				}
				if at += 17; at >= size {
					at -= size
				}
			}
			return nil
		}).measure},
	}}, nil
}

// filled is a cache that has so many keys, which are numbers, and loads none.
func filled(size int) (*warm.Cache[string], []string, error) {
	c, err := warm.New(warm.Config[string]{TTL: time.Hour, Load: func(context.Context, []string) (map[string]string, error) {
		return nil, errors.New("it is not in memory")
	}})
	if err != nil {
		return nil, nil, err
	}
	keys := make([]string, size)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
		c.Set(keys[i], "x")
	}
	return c, keys, nil
}
