// Package handover keeps edges from starting cold: one that starts takes the hottest
// entries of its warm caches from an edge that runs, over RSocket, and one that stops
// hands its own over to those that go on.
//
// Edges ask one another by two methods of the service "edge": hottest gives parts,
// hottest entries first, and take takes one. Both hold what was answered to whomever,
// so they are for edges alone: the passport of such a call names [Origin] as its
// origin, which only who has the keys can seal.
//
// Where no edge runs, what was hot when the last one stopped is loaded from the
// sources, by a list of keys in a file. It holds no values.
package handover
