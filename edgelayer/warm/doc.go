// Package warm is the edge's memory: caches that keep what the mid-tier services
// said, so that most calls are answered without asking them.
//
// A [Cache] is bounded in entries and time. A value that is missing is loaded
// once however many ask for it, and each of those who wait leaves when its own
// context ends. Errors are not kept. The cache itself is
// github.com/maypok86/otter/v2.
//
// All methods are safe for concurrent use. A cache runs goroutines of its own
// until Close.
package warm
