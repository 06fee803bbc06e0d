// Package accepted is what the servers of packages rsocket and rsocketgo share:
// a [Set] accepts from listeners, holds the connections up to a bound, and ends
// them all together. What a connection is, and what it does, is theirs.
package accepted
