// Package js has no code of its own: its tests put package
// [warmline.dev/protocol/rsocket] opposite rsocket-js, in processes of node, on
// connections of the loopback interface: the line 1.0.0-alpha.3 and the line
// 0.0.27, which differ in nearly everything.
//
// # How it works
//
// Folders alpha3 and v0 each have two programs, client.js and server.js, over a
// lib.js that gives both libraries one shape; what they answer and ask is in
// folder peer, and the same for both. A server prints {"port":…} and serves until
// its standard input ends, "node client.js PORT SCENARIO [OPTIONS]" runs one
// scenario; both print, a JSON object a line, what can't be seen from our end.
// Our end answers in the same words (ours_test.go), so that nearly every test is
// made four times: for each library, dialled and dialling.
//
// The packages are those of the lock files. The tests have npm put them in place
// (npm ci) when they are missing or others. Where there is no node, no npm or no
// registry, they are skipped and say so; with CI=true they fail.
//
// # What is shown
//
//   - SETUP arrives whole, or is rejected with its code and data.
//   - Request-response, request-stream, request-channel, fire-and-forget and
//     metadata push, with and without metadata, with nothing at all, hundreds at
//     once. Either half of a channel ends by itself.
//   - Nobody sends more items than it was granted: ours to the item, theirs too.
//   - Own error codes, application errors, REJECTED for what is not served, errors
//     of a channel's requester. Whoever gives up stops the other side's handler.
//   - Fragments down to 64 bytes in both directions, 100,000 bytes, and 16 MiB,
//     which is more than a frame can hold.
//   - Leases: they wait for ours or fail by themselves, we wait for theirs.
//   - Resumption: streams, channels and requests go on over connections that are
//     cut, with items on their way or none, at once or again and again; a client
//     that comes too late fails, and so does everything under way.
//   - Without it: a cut connection, an end that goes away and a graceful close fail
//     what is under way at both ends, soon.
//   - Idle connections outlive their lifetime, silent ones are noticed by both ends.
//   - All models over WebSocket.
//   - Composite metadata with routes, authentication and custom types, in both
//     directions; package rsocket-messaging routes what we send, and we what it does.
//
// # What rsocket-js gets wrong, or can't
//
// Each was seen to happen. Where a test says "they can't", it asserts this.
//
// Both:
//
//   - An answer larger than a frame: 1.0.0-alpha.3 throws and drops the error, so
//     that nothing ever answers; 0.0.27 closes the connection.
//   - Told that the connection closes gracefully (CONNECTION_CLOSE) they close at once.
//   - Empty metadata arrives as none.
//
// 1.0.0-alpha.3:
//
//   - It has no metadata push: asked to, it throws "Method not implemented."; where
//     one arrives it reads a variable that does not exist, and closes the connection.
//   - new RSocketError(…) is not an RSocketError by its own test, and goes as
//     APPLICATION_ERROR whatever its code. The programs set its prototype.
//   - Only a client's requests are fragmented; not a server's, and no answers. With
//     fragmentation on, a request without data throws.
//   - It waits for leases, and grants none, though it agrees to them in SETUP: what
//     we would ask it waits until its context ends.
//   - A client that resumes says so to its user as the end of the connection, names
//     version 0.1 in RESUME, and sends no KEEPALIVE on a connection that was resumed:
//     at the end of each lifetime we take that for lost, and it resumes again.
//   - A SETUP that arrives in two segments ends the process that serves.
//   - A server does not notice that a WebSocket connection is gone before its
//     lifetime has passed.
//
// 0.0.27:
//
//   - What answers has no metadata: replies, items of streams and of the answering
//     half of a channel.
//   - Any error goes as APPLICATION_ERROR, a request that is not served too.
//   - It sends METADATA_PUSH without the metadata flag, which our engine lets pass.
//   - It fragments nothing.
//   - It does not wait for a lease: without one a request fails, and a
//     fire-and-forget disappears. With leases a client is not told why a connection
//     has ended, since its lease sender stumbles over the end.
//   - Only a client resumes, and its user has to connect again. A server takes a
//     SETUP that asks for resumption and then refuses RESUME.
//   - A requester that cancels a channel goes on sending while it has credit.
//   - Its server does not tell which MIME types SETUP names.
package js
