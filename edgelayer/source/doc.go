// Package source reads mid-tier services over HTTP/JSON, and keeps a bad one
// from taking an edge down with it.
//
// A [Source] is one mid-tier service, at one URL or at several that stand for
// each other. Every [Request] to it passes, in this order, a deadline, a limit
// on how many are under way at once, a circuit breaker, retries and a hedge;
// chain.go is where they are put together, and [Config] switches each of them
// off. What goes wrong comes back as a *protocol.Error with the code to tell an
// adapter; [Stats] tell how often, and what each of them does about it.
//
// A context that ends cancels the request; the traceparent it carries goes
// along. When Do returns nothing of the request is left: attempts that lost are
// cancelled and waited for.
//
// The limit and the breaker are github.com/failsafe-go/failsafe-go's and
// github.com/sony/gobreaker/v2's. Retries, hedges and their budget are not
// failsafe-go's: a hedge has to take a place of the limit, and its budget counts
// what is under way, so that one caller after the other could repeat everything.
//
// Limitation: answers are read as a whole, so they are bounded and not streamed.
package source
