// Package edgelayer is the remote service layer: it offers services to adapters
// over RSocket, each with its semver version, and holds a conversation for each
// device request.
//
// # Nouns
//
//   - A [Service] is a name, a version and its [Method]s. Two versions of one
//     name may be offered at once; each line resolves to one of them.
//   - A method is an ordinary function from arguments to a result; [NewMethod]
//     makes one of it, [NewStream] one that gives its result in parts. Sources and
//     warm caches are what it reads, see packages source and warm.
//   - A [Server] accepts lines, negotiates versions and runs the calls.
//
// # Conversations
//
// The calls of a conversation run side by side, but for one that refers to the
// result of another: it runs when that is there, with what it refers to in its
// arguments. A conversation has one view of what it reads: a method that [Reads]
// and is asked the same again answers the same, without a run, until the
// conversation writes to the service or asks for it fresh. What is kept for that
// is bounded ([Config.MaxView]) and goes with the conversation.
//
// # Whom a call is made for
//
// A method reads its caller's passport with [Passport], and changes it with
// [ChangePassport]: the change is used by the conversation's later calls, and
// travels back to the adapter and up to the gateway. A method that
// [NeedsPassport] is refused without a good one before it runs.
//
// # Who dials
//
// With [Config.Peers] a line is authenticated before its first request, and has what
// its peer may call; see package protocol/peers.
//
// # Cancellation
//
// A method's context ends when the adapter cancels the call, when the
// conversation ends, when the time budget that came with it is spent, or when
// the line is lost. A method must return soon after: the server waits for it.
package edgelayer
