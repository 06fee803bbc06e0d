// Package adapter answers device requests: the code that shapes data for one
// kind of device.
//
// An adapter is an ordinary [net/http.Handler] with a name and a version. [Serve]
// dials the gateways, offers it to them, and answers what they send down the
// lines that it opened. Routes, middleware and tests are net/http's.
//
// The request's context carries the passport (passport.FromContext), the trace
// and the time budget, so that a conversation opened with it does too:
//
//	mux := http.NewServeMux()
//	mux.Handle("GET /home", adapter.JSON(func(r *http.Request) (any, error) {
//		conv := edge.Converse(r.Context())
//		defer conv.Close()
//		…
//	}))
//	srv, err := adapter.Serve(ctx, adapter.Config{Name: "tv", Version: "2.0.0", Handler: mux, …})
//
// # Cancellation
//
// The context ends when the device goes away, when the budget is spent or when
// the line to the gateway is lost.
//
// # Limitations
//
// Request and response bodies are held whole, within the limits of a message.
package adapter
