// Package edge puts an edge together: the services that a file declares, the server
// that offers them, the bus that tells what has changed, the other edges, and the
// port for operators.
//
// # Life
//
// An edge that starts hears the bus first, so that it misses no invalidation, then
// takes what is warm from another edge or loads what was hot, and only then listens
// and says that it is ready. One that stops says so, takes no more lines, finishes
// what is under way and meanwhile hands over what it holds.
//
// # Reload
//
// The declaration is read again when its file changes, and on [Edge.Reload]. A file
// with a mistake changes nothing. Of one without, all takes effect at once: lines
// are told what has become of their wants, calls under way keep what they have, and
// caches whose declaration has not changed stay warm.
package edge
