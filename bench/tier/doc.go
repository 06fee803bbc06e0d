// Package tier is what stands behind every contender of the job: the edge's own
// code, four questions answered from warm caches (package edgelayer/warm), and a
// fifth that only counts.
//
//   - A [Tier] answers. It keeps values in the form in which its contender sends
//     them, as an edge of Warmline does, so that none encodes what has not changed.
//   - [Users] are whom device requests are made for, each with a sealed passport.
//
// What is asked for the first time is made up, after the time that a source is said
// to take; from then on it is in memory.
package tier
