package cli

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/sample"
)

// Who signs out waits for the bus, which may not be there: the samples end all the same.
func TestSamplesEndWhileSomebodyWaitsForTheBus(t *testing.T) {
	waits, over := make(chan struct{}), make(chan struct{})
	services, err := sample.Start(sample.Config{Latency: -1, OnAccount: func(sample.Event) {
		close(waits)
		<-over
	}})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if answer, err := http.Post(services.URL("accounts")+"/sign-out-all", "application/json", strings.NewReader(`{"customer":"c-1001"}`)); err == nil {
			answer.Body.Close()
		}
	}()
	await.Value(t, "somebody to wait", waits)
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stopped <- sampleTier(services, func() { close(over) }).stop(ctx)
	}()
	await.Value(t, "the samples to end", stopped)
	await.Value(t, "who waited to be told", asked)
}
