// Package gateway turns HTTP into channel requests and back. It mints the
// passport, picks the adapter by semver, sends the request down the line that
// the adapter opened, and turns the answer into HTTP.
//
//	GET /{app}@{range}/{path…}   the highest version in the range: /tv@^1/home
//	GET /{app}/{path…}           the highest stable version: /tv/home
//	GET /                        the adapters that are here, as JSON
//
// # Nouns
//
//   - A [Server] is an [http.Handler] for devices and accepts lines of adapters
//     on a listener of its own.
//   - A [Mint] decides whom a request is made for.
//   - [Stats] are what it has answered, to which kinds of devices, and how fast.
//
// The routing table is the set of live lines: an adapter that connects is
// routed to at once, and one that goes away is not.
//
// # Cancellation
//
// A device that goes away cancels its request all the way down. Every request
// has a time budget, [Config.Budget].
//
// # Limitations
//
// Without [Config.Peers] whoever reaches the line address may offer adapters: it belongs
// on a private network. Bodies are held whole. A request whose line breaks is not moved to
// another adapter.
package gateway
