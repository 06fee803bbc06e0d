package cli

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/logged"
)

// A gateway is ready when it has heard whose account has changed, or has waited ten
// seconds for that; the log says which.
func TestGatewayIsReadyWhenItHasHeardOrWaitedEnough(t *testing.T) {
	for name, c := range map[string]struct {
		heard, ends, ready time.Duration // 0: never
		log                string
	}{
		"heard":      {heard: 3 * time.Second, ready: 3 * time.Second, log: "it is known whose account has changed"},
		"not heard":  {ready: hearing, log: "no publisher was heard on the bus"},
		"too late":   {heard: hearing + time.Second, ready: hearing, log: "no publisher was heard on the bus"},
		"is stopped": {ends: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logged.Log
				began, at := time.Now(), time.Duration(0)
				ctx, cancel := context.WithTimeout(t.Context(), hearing)
				defer cancel()
				if c.ends > 0 {
					time.AfterFunc(c.ends, cancel)
				}
				hear(ctx, func() bool { return c.heard > 0 && time.Since(began) >= c.heard }, func() { at = time.Since(began) }, zerolog.New(&log))
				if at != c.ready || !strings.Contains(log.String(), c.log) || c.log == "" && log.String() != "" {
					t.Errorf("ready after %v, want %v; the log says %s", at, c.ready, log.String())
				}
			})
		})
	}
}
