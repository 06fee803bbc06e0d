// Package interop has no code of its own: its tests put package
// [warmline.dev/protocol/rsocket] opposite github.com/rsocket/rsocket-go v0.8.16,
// on one TCP connection of the loopback interface. What both agree on is then
// the specification's word, and not only this project's.
//
// # What is shown
//
// Every test that makes requests does so four times: rsocket-go dials or is
// dialled, and the side that dialled asks or is asked.
//
//   - SETUP arrives whole, or is rejected with its reason.
//   - Request-response, with and without metadata, up to 200 KB, many at once;
//     an error keeps its code and text.
//   - Request-channel: hundreds of items there and back in order, and a side
//     that takes nothing stops the other one after exactly the credit it gave.
//   - Request-stream, with its credit, and fire-and-forget.
//   - Our fragments, up to 16 MiB.
//   - Metadata push.
//   - Either end goes away in the middle, or gives up a request: the other end's
//     call fails or its handler is told, and nothing waits for ever.
//
// # How rsocket-go is used
//
// Legal traffic can crash it or make it mix requests up, so its side keeps to a
// subset that was found to be sound:
//
//   - What it sends on a channel comes from an own flux that sends on credit
//     (outbox), never from flux.Create, CreateFromChannel or a processor.
//   - What it answers comes from an own mono (answer). mono.Create meets CANCEL
//     on another goroutine than its handler's reply, and gives the subscriber
//     back to a pool under it: a data race that the detector reports, and then
//     the reply may be another request's.
//   - Inbound items are cloned, and Request is called only inside OnSubscribe
//     and OnNext: elsewhere it does not deliver the items that wait.
//   - It never cancels a channel's inbound half, of which the peer hears
//     nothing, and never ends a requester's flux in an error.
//   - It runs on scheduler.Parallel. By default it starts a pool for each
//     connection, and a request that comes as that one closes panics.
//
// # What is not tried
//
// Because rsocket-go is known to get it wrong:
//
//   - Our responder leaving a channel whose requester still sends (CANCEL to the
//     requester), and our requester ending its half in ERROR: either ends the
//     process that runs rsocket-go.
//   - Closing rsocket-go while it writes, or asking its client before Start has
//     returned, are data races (it closes its queue under the senders; it writes
//     SETUP beside its write loop); closing it while channel items arrive
//     panics. The tests wait until it is quiet.
//   - Giving up a request that rsocket-go made: it sends no CANCEL.
//   - Closing gracefully with requests under way: told so (CONNECTION_CLOSE),
//     rsocket-go closes at once.
//   - Lifetimes: it does not notice a peer that has fallen silent.
//   - Fragments of its own: it marks the first fragment of an answer as the last.
//   - Resumption, of which it retains no frames, and leases.
//
// Hostile frames are package rsocket's own tests. The other peers are in the
// directories below.
package interop
