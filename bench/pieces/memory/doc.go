// Package memory is an edge that has all its answers in memory, and the adapter that
// asks it: what the calls of a conversation cost an edge is measured with both, by the
// bench and by the benchmarks of package edgelayer.
//
//   - A [Store] has the answers, and the services that give them.
//   - An [Asking] is what an adapter asks. It is to be a process of its own ([Ask]), so
//     that the processor time of the other one is the edge's alone.
package memory
