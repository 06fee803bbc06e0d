// Package java has no code of its own: its tests put package
// [warmline.dev/protocol/rsocket] opposite rsocket-java 1.1.5, the reference
// implementation (io.rsocket:rsocket-core and rsocket-transport-netty), over TCP
// and WebSocket on the loopback interface.
//
// # How it runs
//
// peer is a Maven project: rsocket-java under remote control. The tests build it
// when its sources have changed (the first time that downloads), and start it
// once; each command is a line of JSON, its answer another. A JDK 17 and Maven
// have to be there: where CI=true the tests fail without them, elsewhere they are
// skipped. By hand, in peer, after mvn package:
//
//	java -cp 'target/peer-1.jar:target/lib/*' peer.Peer server '{"fragment":1024}'
//	java -cp 'target/peer-1.jar:target/lib/*' peer.Peer client PORT stream '{"data":"10","credit":[3,4,3]}'
//
// Its three nouns: an end is one side of a connection, whichever library plays
// it; a script says what a requester does; an answer, what came of it. Responders
// echo, but for the words that Responder.java lists, and responder_test.go after
// it. Between the ends is a proxy that cuts, freezes or redirects.
//
// # What is shown
//
// Unless it says otherwise, four times: rsocket-java dials or is dialled, and
// asks or is asked.
//
//   - Every model with and without metadata, empty, by the hundred, and with what
//     a requester asks for and no more; a channel whose requester ends first, or
//     whose responder does, or wants no more.
//   - Errors with their code and text; SETUP that arrives whole or is rejected;
//     models that are not served; requests that are given up.
//   - Fragments from 64 bytes to 16 MiB, payloads of 100,000 bytes and of 16 MiB,
//     and payloads that are too large for the one or the other.
//   - Leases granted, waited for, expired, refused.
//   - Resumption: streams, channels and large payloads that a cut, or silence,
//     does not interrupt; sessions that expired, are unknown, or lack frames.
//   - Connections that are cut, closed, closed gracefully, idle or silent.
//   - Composite metadata with routing, authentication and MIME types.
//
// # What rsocket-java does
//
// The tests hold it to the following, where they can:
//
//   - On TCP it counts the length prefix as part of a frame: one of 16,777,213
//     bytes or more, which is legal, is dropped without a word, and its request
//     waits for ever.
//   - A graceful close (CONNECTION_CLOSE) fails every request that it has made, at
//     once and without CANCEL; what was asked of it is answered to the end. It has
//     none of its own: closing says CONNECTION_ERROR, "Disposed".
//   - A model that is not served is APPLICATION_ERROR, where ours is REJECTED.
//   - A server with leases grants them to every client and demands them of it, if
//     it asked for leases or not; the client of the same library breaks off at
//     that. Without leases it answers INVALID_SETUP to a client that wants them,
//     where the specification has UNSUPPORTED_SETUP.
//   - A channel that is complete before it has a lease is never sent and never
//     ends.
//   - A lease counts from when it was sent: what is under way just then counts on
//     it, and a requester that then uses it up is refused. Ours is patient there.
//   - Connecting succeeds before SETUP is accepted; acceptors have no code of their
//     own to refuse with. A client whose resumption is rejected tells its user only
//     that the channel is closed.
//   - Of a payload that is larger than it takes it says CANCELED (a responder) or
//     cancels (a requester). Ours says INVALID. Fragments in the middle that are
//     shorter than 61 bytes it takes for an attack.
//   - Only KEEPALIVE counts as a sign of life; both ends send it and ask for an
//     answer.
//   - A payload over 16 MiB needs fragment(…): otherwise its sender refuses it.
//
// # What is not tried
//
//   - Our requester ending its half of a channel in ERROR: our engine has no way
//     to; it cancels. rsocket-java's does.
//   - A client of rsocket-java that exceeds its lease: it keeps to it, so that our
//     REJECTED is package rsocket's own test.
//   - A request(n) of our requester's own: what it grants is Config.Window.
//   - TLS, unix sockets (rsocket-java has no transport for them), and hostile
//     frames: package rsocket's own tests.
package java
