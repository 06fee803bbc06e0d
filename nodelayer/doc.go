// Package nodelayer is what an adapter holds of the remote service layer: a line
// to the edge, and on it a conversation for each device request.
//
// # Nouns
//
//   - An [Edge] keeps lines open, negotiated by semver when they are dialled.
//   - A [Conversation] is one device request's exchange: calls, and follow-ups on
//     the same channel.
//   - [Call] asks one question in a conversation and decodes the answer.
//     [Conversation.Start] does not wait for it: what it returns, a [Pending], is
//     awaited later, and [Pending.Ref] stands for a part of its result in the
//     arguments of other calls. [Stream] takes a result in parts. [Ask] does
//     without a conversation.
//
// Package adapter answers device requests, package gateway brings them.
//
// # Whom a call is made for
//
// A conversation takes the passport from its context (a *passport.Carrier), the
// trace (protocol.WithTraceparent) and the time left (the deadline). A service
// that changes the passport changes what the carrier holds.
//
// # Who dials
//
// An edge that asks is shown a client certificate or a token: [Config.Credentials].
// They may change while lines stand. One that is told that what it has shown is
// retired opens another line with what it has now, before the edge closes the first.
//
// # Cancellation
//
// A conversation ends with the context that it was opened with: the edge cancels
// what it is doing for it. A call whose own context ends is cancelled alone.
//
// # Edges that come and go
//
// An edge is one of several that offer the same. A conversation whose edge is lost,
// or does not answer any more, goes on with another: calls that are not answered
// and may be asked twice (the edge says which) are asked again, with references to
// answers that are here put in place; the others fail as uncertain, since they may
// have been carried out. While there is no line calls fail at once as
// unavailable, and safe to try again.
package nodelayer
