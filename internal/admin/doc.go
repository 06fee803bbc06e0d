// Package admin is the port of an edge for those who run it: what it does, whether it
// is ready, and that something has changed at a source. Adapters never come here.
//
//	GET  /metrics     figures for Prometheus
//	GET  /healthz     200 while the process serves
//	GET  /readyz      200 when the edge may be sent adapters, 503 and why not
//	POST /invalidate  a [warm.Invalidation] in JSON; 200 or 503, and a [Result] in JSON
//
// # Nouns
//
//   - A [Server] is the port, from [Start] to [Server.Shutdown].
//   - A [Result] is what has become of an invalidation. [Invalidate] is how a program
//     asks for one.
//
// # Limitations
//
// Who reaches the port may read figures and, unless there are Peers, drop what is warm.
// It is on loopback unless it is told otherwise. Web pages that are open on the same machine
// can't use it: the Host must not be a name that anybody may point here, and an
// invalidation must say that it is JSON.
package admin
