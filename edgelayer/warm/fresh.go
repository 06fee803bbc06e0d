package warm

import "context"

type freshKey struct{}

// WithFresh returns a context for which caches load what they are asked for,
// whatever they hold.
func WithFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

func isFresh(ctx context.Context) bool {
	fresh, _ := ctx.Value(freshKey{}).(bool)
	return fresh
}
