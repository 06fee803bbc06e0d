package contender

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Grace is how long a server lets what is under way finish when it is stopped.
const Grace = 10 * time.Second

// until has serve run until ctx ends, and then shutdown end it.
func until(ctx context.Context, serve func() error, shutdown func(context.Context) error) error {
	served := make(chan error, 1)
	go func() { served <- serve() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), Grace, fmt.Errorf("what was under way was not done within %v", Grace))
	defer cancel()
	if err := shutdown(grace); err != nil {
		return errors.Join(err, context.Cause(grace))
	}
	<-served // an error that says that it was closed
	return nil
}
