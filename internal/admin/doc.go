// Package admin is the port of an edge or a gateway for those who run it: what it does,
// whether it is ready and, of an edge, that something has changed at a source. Adapters
// and devices never come here.
//
//	GET  /metrics     figures for Prometheus
//	GET  /healthz     200 while the process serves
//	GET  /readyz      200 when the tier may be sent who it is for, 503 and why not
//	POST /invalidate  of an edge: a [warm.Invalidation] in JSON; 200 or 503, and a
//	                  [Result] in JSON
//
// # Nouns
//
//   - A [Server] is the port, from [StartEdge] or [StartGateway] to [Server.Shutdown].
//   - An [Edge], or a [Gateway], is what the port shows and does besides what every port
//     does.
//   - A [Result] is what has become of an invalidation. [Invalidate] is how a program
//     asks for one.
//
// # Figures
//
// Of an edge: warmline_edge_…, warmline_cache_…{cache}, warmline_source_…{source}. Of a
// gateway: warmline_gateway_…, warmline_identity_… (how it was decided whom requests are
// for), warmline_source_…{source="accounts"}, warmline_revocation_… and
// warmline_devices_…. Of both: warmline_bus_…, and what Go and the process tell. No label
// has a value that a device could choose.
//
// # Limitations
//
// Who reaches the port may read figures and, unless there are Peers, drop what is warm.
// It is on loopback unless it is told otherwise. Web pages that are open on the same machine
// can't use it: the Host must not be a name that anybody may point here, and an
// invalidation must say that it is JSON.
package admin
