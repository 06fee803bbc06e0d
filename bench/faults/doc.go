// Package faults measures what becomes of device requests while something fails:
// an edge is killed, a source hangs, edges are replaced, or there is more to do than
// can be done. Contenders do what is usual with them where servers fail, see
// contender.Contender.Resilience.
//
// [Run] is the measuring process. For each contender of each round it starts edges
// and an adapter (package peer), has the adapter begin jobs at a rate, whatever
// becomes of them, and meanwhile does what the [Fault] is. A [Report] is what came
// out, with a timeline.
package faults
