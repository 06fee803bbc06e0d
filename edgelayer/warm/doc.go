// Package warm is the edge's memory: caches that keep what the mid-tier services
// said, so that most calls are answered without asking them.
//
// # Nouns
//
//   - A [Cache] keeps values by key, of one thing that is read from a source.
//     [Config] says how much, how long, and how what is missing is loaded.
//   - An [Invalidation] says what has changed at a source: a key, a prefix of keys,
//     or everything.
//   - An [Entry] is what one edge hands over to another, so that none starts cold.
//
// # The life of a value
//
//	loaded          TTL × (1-RefreshAhead)      TTL           + Stale          + StaleIfError
//	  |  served from memory  |  served, and loaded anew behind it  |  only if loading fails  |  gone
//
// The TTL varies by Jitter, so that what was loaded together is not loaded again
// together. That a key has no value is kept too, for a time of its own. A value
// that is not in memory is loaded once however many ask for it; each of those who
// wait leaves when its own context ends, and the load is given up when the last one
// has left. Loads of one moment go out together where the source has a batch form.
// What is served when a load fails is, in this order: the stale value, the static
// one, the error.
//
// A value that is dropped while it is being loaded is not kept.
//
// The cache itself is github.com/maypok86/otter/v2 (W-TinyLFU). All methods are
// safe for concurrent use. A cache runs goroutines of its own until Close.
package warm
