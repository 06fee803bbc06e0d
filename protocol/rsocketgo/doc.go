// Package rsocketgo carries a connection with github.com/rsocket/rsocket-go
// v0.8.16 behind the interface of package [warmline.dev/protocol/rsocket]: the
// same [rsocket.Requester], [rsocket.Handler], [rsocket.Setup], payloads, errors
// and settings. It is for who runs rsocket-go already and wants to go on with
// it. Everybody else is better off with package rsocket, which is faster, can do
// more, and needs none of the precautions below.
//
// # Nouns
//
//   - A [Conn] is one connection, symmetric once it stands, as [rsocket.Conn] is.
//   - [Dial] and [Client] make the dialling side, a [Server] accepts. What package
//     rsocket listens at and connects to, they do: TCP, TLS, unix sockets, WebSocket.
//
// What [rsocket.Channel] says of Send, Recv, CloseSend and Cancel holds here. A
// call that waits takes a context; whose context ends while rsocket-go's queue is
// stuck, because the peer does not read, is let go by [rsocket.Config].WriteTimeout
// at the latest.
//
// # How rsocket-go is used
//
// Legal traffic can make rsocket-go end its process, mix requests up, or hand out
// the bytes of another connection. So every frame passes this package in both
// directions (file wire.go): each is parsed before rsocket-go sees it, and of
// those that are valid it sees only what it handles right.
//
//   - Requests, items and ends on streams that are known reach it, and KEEPALIVE.
//   - CANCEL on a stream that this side opened, or ERROR on one that it did not,
//     end the process; an id in use or a second answer mix requests up. They do
//     not reach it: this package acts on them.
//   - CONNECTION_CLOSE, pushed metadata, credit and fragments are taken care of
//     here, because rsocket-go ends the connection, loses the order, stops
//     counting when one half of a channel is over, and loses the end of a channel.
//   - What rsocket-go never says is said here: CANCEL for a request that was given
//     up, the code of a refused SETUP, credit as items are taken.
//
// What is sent comes from fluxes and monos of this package's own, which send on
// credit. What arrives is subscribed to at once, with all the credit that
// rsocket-go can count; what the peer may send is counted here, so that a slow
// receiver holds up nobody else. A connection is closed when nobody is inside
// rsocket-go any more, because it closes its queue under who is.
//
// # What is lesser than the engine
//
// All else is the same, by the same tests (see faults_test.go):
//
//   - Empty metadata is sent as none: rsocket-go goes by the length. A received
//     one is told from none.
//   - A payload has to fit one frame of 16,777,212 bytes, or
//     [rsocket.Config].MaxFrame: a larger one is [rsocket.ErrTooLarge]. rsocket-go
//     would cut it and mark the first fragment of an answer as the last. What
//     arrives in fragments is put together.
//   - A responder that leaves a channel early does not stop the requester. That is
//     said with CANCEL, which ends the process of a requester that runs rsocket-go
//     without this package. The requester sees the responder's half complete; it
//     can send what it has credit for, if any, and gets no more: its next Send
//     waits for its context, or until it cancels. A handler that wants the
//     requester to stop returns an error, or says so in an item.
//   - For the same reason a channel is never ended with ERROR by its requester:
//     [rsocket.Channel.Cancel], and an item for which there was no credit, are
//     CANCEL there. The responder's is ERROR with CANCELED, as the engine's.
//   - An answer that nobody waits for any more is still written, as ERROR, and the
//     end of a stream that was cancelled too: rsocket-go forgets a stream only when
//     it is told its end. Peers pass over both.
//   - Leases, resumption and a fragment size can't be had, and MaxUnwritten is no
//     number of bytes but 32 frames: a Config that sets one is an error, which says
//     so.
//   - After 1,073,741,823 requests a connection takes no new ones: rsocket-go goes
//     on with ids that are not valid.
//
// A peer that is rsocket-go without this package takes [Conn.Shutdown] for the
// end, and may not survive CANCEL on an answer that it makes with flux.Create.
//
// # Limitations
//
// rsocket-go logs what it thinks is wrong with its own global logger, which this
// package leaves as it is.
package rsocketgo
