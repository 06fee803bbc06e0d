package warm

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/protocol"
)

// Config is how a cache behaves. 0 is the default, negative is off.
type Config[V any] struct {
	// Source is the name of the source, and Name what is read from it: "catalogue",
	// "film". They stand in figures and errors, and invalidations go by them.
	Source, Name string

	// MaxBytes bounds the memory that the cache takes: keys, values and its own
	// bookkeeping. Default 64 MiB. It needs Size; where V is []byte, string or
	// protocol.Raw, that is there.
	MaxBytes int64
	// MaxEntries bounds how many there are. Default 100,000. An entry counts as at
	// least MaxBytes / MaxEntries bytes.
	MaxEntries int
	// Size is how much memory a value holds, in bytes. Without it the number of
	// entries is the only bound.
	Size func(value V) int

	// TTL is how long a value is fresh. Default one minute.
	TTL time.Duration
	// Jitter is the share of the TTL by which it may be shorter, anew for each
	// value: 0.1, the default, is up to a tenth.
	Jitter float64
	// RefreshAhead is the share of the TTL, at its end, in which a value that is
	// asked for is loaded anew behind the answer. Default 0.2.
	RefreshAhead float64
	// Stale is how long after its TTL a value is still served at once, while it is
	// loaded anew behind the answer. Default half the TTL.
	Stale time.Duration
	// StaleIfError is how long after its TTL a value is served when loading it
	// fails. Default ten times the TTL.
	StaleIfError time.Duration
	// Missing is how long it is kept that a key has no value. Default ten seconds,
	// or the TTL if that is less.
	Missing time.Duration

	// Load loads values; those that have none are left out. An error that is a
	// *[protocol.Error] with [protocol.NotFound] says the same of all keys, in its
	// own words. The context carries the trace of whom it is for, and ends when nobody
	// waits any more. Required.
	Load func(ctx context.Context, keys []string) (map[string]V, error)
	// Batch is how many keys one Load takes at most. Default 1.
	Batch int
	// Within is how long a key may wait for others to be loaded with, if Batch is
	// more than 1. Default 1 ms; negative: those of one GetAll only.
	Within time.Duration
	// Group says which keys may be loaded together: those of one group. Default: any.
	Group func(key string) string

	// Fallback is the static value for when nothing else is left. Default: none.
	Fallback func(key string) (value V, ok bool)

	// Log is told of loads in the background that fail. The zero value is silent.
	Log zerolog.Logger
}

func (cfg Config[V]) withDefaults() (Config[V], error) {
	bad := func(format string, args ...any) (Config[V], error) {
		return cfg, fmt.Errorf("warm: cache %s of %s: "+format, append([]any{cfg.Name, cfg.Source}, args...)...)
	}
	switch {
	case cfg.Load == nil:
		return bad("it has no Load")
	case cfg.MaxBytes < 0 || cfg.MaxEntries < 0 || cfg.TTL < 0:
		return bad("%d bytes, %d entries for %v: expected positive numbers", cfg.MaxBytes, cfg.MaxEntries, cfg.TTL)
	case cfg.Jitter >= 1 || cfg.RefreshAhead > 1:
		return bad("jitter %v, refresh ahead %v: expected shares of the TTL, below 1", cfg.Jitter, cfg.RefreshAhead)
	}
	if cfg.Size == nil {
		cfg.Size = sizeOf[V]()
	}
	if cfg.Size == nil && cfg.MaxBytes > 0 {
		return bad("MaxBytes needs Size, to tell how large a value is")
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = 100_000
	}
	if cfg.TTL == 0 {
		cfg.TTL = time.Minute
	}
	cfg.Jitter = share(cfg.Jitter, 0.1)
	cfg.RefreshAhead = share(cfg.RefreshAhead, 0.2)
	cfg.Stale = duration(cfg.Stale, cfg.TTL/2)
	cfg.StaleIfError = duration(cfg.StaleIfError, 10*cfg.TTL)
	cfg.Missing = duration(cfg.Missing, min(10*time.Second, cfg.TTL))
	cfg.Batch = max(cfg.Batch, 1)
	cfg.Within = duration(cfg.Within, time.Millisecond)
	if cfg.Group == nil {
		cfg.Group = func(string) string { return "" }
	}
	return cfg, nil
}

func share(s, otherwise float64) float64 {
	if s == 0 {
		return otherwise
	}
	return max(s, 0)
}

func duration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(d, 0)
}

// sizeOf is the size of what is bytes; nil: V is something else.
func sizeOf[V any]() func(V) int {
	var v V
	switch any(v).(type) {
	case []byte:
		return func(v V) int { return cap(any(v).([]byte)) }
	case protocol.Raw:
		return func(v V) int { return cap(any(v).(protocol.Raw)) }
	case string:
		return func(v V) int { return len(any(v).(string)) }
	}
	return nil
}
