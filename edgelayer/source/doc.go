// Package source reads mid-tier services over HTTP/JSON, and keeps a bad one
// from taking an edge down with it.
//
// A [Source] is one mid-tier service. Every request to it passes, in this order,
// a deadline, a limit on how many are under way at once, and a circuit breaker
// (github.com/sony/gobreaker/v2 with a rolling window). What goes wrong comes
// back as a *protocol.Error with the code to tell an adapter.
//
// A context that ends cancels the request; the traceparent it carries goes along.
package source
