// Package pieces measures the pieces that a device request is made of, each by itself:
// a passport that is verified, a cookie that is checked, a hit in a warm cache, a
// message that is encoded and decoded, a call of a conversation that is answered from
// memory.
//
// [Run] is the measuring process. What is timed in it is timed by a [loop], which does
// with its rounds what package testing does with a benchmark. A call is measured in two
// processes of its own, an edge ([ServeEdge]) and an adapter (package memory). A
// [Report] is what came out, with the bars that it allows to judge.
//
// The end of the context ends the loop under way within some milliseconds, kills the
// processes, and Run returns when they are gone.
package pieces
