// Package conformance is what users of a connection rely on, whatever carries
// it, as tests: [Run] runs them over connections that its caller makes.
//
// They speak only through [rsocket.Requester], [rsocket.Handler] and the few
// methods of [End], and say nothing about frames; those are package rsocket's
// own tests.
package conformance
