// Package job measures what a device request costs by each [contender.Contender]:
// profile → recommendations → films and ratings, from warm caches that are the same
// for all (package tier), over round-trip times between adapter and edge.
//
// [Run] is the measuring process. For each contender of each round it starts a
// server and a client (package peer), and a link between them where there is a
// round-trip time, and has them do jobs in a closed loop and in an open one.
// A [Report] is what came out.
package job
