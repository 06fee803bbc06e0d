// Package link is the way between two tiers that are apart: a proxy on loopback by
// which every byte takes its time each way, and the measuring of what it adds to
// that by itself.
//
//   - A [Link] has an address for each target. [Serve] is one in a process of its own,
//     which [Start] starts.
//   - [Measure] says how long a round trip by a link is really: an [Added].
//   - [Late] is how late a link was under the load that it had.
//
// Bytes arrive unchanged, in order, and in the pieces in which the link got them.
// The end of one side's bytes is passed on and leaves the other side's alone; a
// connection that is reset at one end is reset at the other. Both take as long as
// bytes do. A connection is made at once, as the system does that, but carries
// nothing for the first round trip: that is what making it would take. If its
// target can't be reached it is reset.
//
// A link has no other limits than its delay and what it holds of each connection:
// nothing is lost, and no rate is bounded.
package link
