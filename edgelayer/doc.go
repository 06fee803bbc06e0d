// Package edgelayer is the remote service layer: it offers services to adapters
// over RSocket, each with its semver version, and holds a conversation for each
// device request.
//
// # Nouns
//
//   - A [Service] is a name, a version and its [Method]s. Two versions of one
//     name may be offered at once; each line resolves to one of them.
//   - A method is an ordinary function from arguments to a result; [NewMethod]
//     makes one of it. Sources and warm caches are what it reads, see packages
//     source and warm.
//   - A [Server] accepts lines, negotiates versions and runs the calls.
//
// # Whom a call is made for
//
// A method reads its caller's passport with [Passport], and changes it with
// [ChangePassport]: the change is used by the conversation's later calls, and
// travels back to the adapter and up to the gateway. A method that
// [NeedsPassport] is refused without a good one before it runs.
//
// # Cancellation
//
// A method's context ends when the adapter cancels the call, when the
// conversation ends, when the time budget that came with it is spent, or when
// the line is lost. A method must return soon after: the server waits for it.
//
// # Limitations
//
// A method gives one result; streamed results, and calls that refer to the
// results of others, are not there yet.
package edgelayer
