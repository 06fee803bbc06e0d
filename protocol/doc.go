// Package protocol is what Warmline peers say to each other on a line: how they
// agree on versions, what a request's metadata carries, the messages of a
// conversation, and the one list of error codes. docs/protocol.md specifies the
// same byte by byte.
//
// # Nouns
//
//   - A [Hello] is what the dialling side says in SETUP: who it is, what it
//     wants or offers. [Resolve] matches wants with [Offers] by semver; what it
//     finds goes back as a [Welcome], what it misses as a [Refusal].
//   - [Metadata] travels with a request: route, passport, trace, time budget.
//   - A [Message] is one step of a conversation: a call, its reply or failure.
//   - A [Codec] turns values into bytes: [MsgPack], or [JSON] of the same shape.
//   - An [Error] has a [Code], says whether trying again is safe, and whether
//     the peer said it or this side inferred it.
//
// # Hostile input
//
// All msgpack that is decoded has passed a walk that bounds its depth and the
// number of its elements and believes no length ([Limits]). JSON has the bounds
// of encoding/json.
//
// The package holds no state; all of it is safe for concurrent use. It knows
// nothing of the layers above.
package protocol
