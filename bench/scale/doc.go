// Package scale measures what a device request costs, and what the tiers hold in
// memory, as there are more lines, and more conversations that are open beside it, by
// each [contender.Contender].
//
// [Run] is the measuring process. For each contender of each round it starts a
// server and a client (package peer), has the client open lines, and then more of
// them, and do jobs at each number; and another pair of which the client opens
// conversations. A [Report] is what came out.
package scale
