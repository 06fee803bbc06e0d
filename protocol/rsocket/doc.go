// Package rsocket is an RSocket 1.0 engine: one [Conn] carries many streams in
// both directions over one ordered byte stream, with flow control per stream
// and a bound on everything that a peer can make this side hold.
//
// # Nouns
//
//   - A [Conn] is one connection. It is symmetric: once it stands, either side
//     requests and either side answers, whoever dialled.
//   - A [Handler] says what this side answers. A request for which it has no
//     function is refused with REJECTED.
//   - A [Channel] is one stream of many payloads, a request-channel or a
//     request-stream: two halves that end separately.
//
// [Dial] and [Client] make the dialling side, a [Server] accepts.
//
// # Transports
//
// The engine works on any net.Conn whose bytes are frames behind 3-byte lengths.
// [Connect], [Listen] and [ListenTLS] make them of an address: TCP, TLS, a unix
// socket, WebSocket, WebSocket over TLS (see [CheckAddress]); [Upgrade] makes one
// of an HTTP request and [Pipe] a pair in memory, both for [Server.ServeConn].
//
// # Cancellation
//
// Every call that can wait takes a context. A request whose context ends sends
// CANCEL and frees its stream at once; the peer's handler sees its own context
// end. A connection that is lost ends every stream with an error that
// errors.Is finds to be [ErrClosed].
//
// # Bounds
//
// A peer is hostile until proven otherwise. [Config] bounds frame size, streams,
// bytes waiting to be written and to be taken, and the waits for the first frame
// and for the socket; each field says what the peer sees at the bound. A length
// that a peer announces reserves no memory: buffers grow with what has arrived.
//
// # Lost connections
//
// With [Config.ResumeFor] on both sides a connection outlives its carrier: the
// client dials again, both sides send again what the other has not received, and
// requests, streams and channels under way go on. What was sent is kept within
// [Config.MaxRetained]; a peer that lacks older frames is refused, and the
// connection ends. METADATA_PUSH is not among what is sent again.
//
// # Limitations
//
// The read loop leaves its work to those who wait only on Linux, and only for
// plain sockets: elsewhere one request at a time takes longer. Leases are granted
// in equal parts, by number and time; resumption by [Dial] only.
//
// The specification is the RSocket protocol, version 1.0; the frames are in
// package [warmline.dev/protocol/rsocket/frame].
package rsocket
