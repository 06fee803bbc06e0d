package cli

import (
	"errors"
	"fmt"
	"strings"

	"warmline.dev/protocol/mistake"
)

// notStarted tells of every mistake in what a tier is started with; another error is
// told as it is.
func notStarted(what string, err error) error {
	mistakes, ok := errors.AsType[mistake.List](err)
	if !ok {
		return err
	}
	return usageError{fmt.Errorf("%d mistakes in the %s, nothing is started:\n  %s", len(mistakes), what, strings.ReplaceAll(mistakes.Error(), "\n", "\n  "))}
}
