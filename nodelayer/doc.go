// Package nodelayer is what an adapter holds of the remote service layer: a line
// to the edge, and on it a conversation for each device request.
//
// # Nouns
//
//   - An [Edge] keeps a line open, negotiated by semver when it is dialled.
//   - A [Conversation] is one device request's exchange: calls, and follow-ups
//     on the same channel once their answers have been looked at.
//   - [Call] asks one question in a conversation and decodes the answer; [Ask]
//     does without a conversation.
//
// Package adapter answers device requests, package gateway brings them.
//
// # Whom a call is made for
//
// A conversation takes the passport from its context (a *passport.Carrier), the
// trace (protocol.WithTraceparent) and the time left (the deadline). A service
// that changes the passport changes what the carrier holds.
//
// # Cancellation
//
// A conversation ends with the context that it was opened with: the edge cancels
// what it is doing for it. A call whose own context ends is cancelled alone.
//
// # Limitations
//
// One edge address, one line to it. While it is down calls fail at once as
// unavailable, and safe to try again.
package nodelayer
