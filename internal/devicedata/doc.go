// Package devicedata runs package device over the bus: what a gateway holds, and the
// publisher of a new version.
//
// # On the bus
//
// What is published is on the subject [Subject], sealed as package device says: a
// delta from the version before, then the snapshot. Who may have missed something, or
// is pinned to a version that is not here, asks on [AskSubject]: the version in decimal
// digits, 0 for the newest. The answer goes to everybody, so a publisher gives it twice
// a second at most, however many ask; nobody proves who asks. A publisher repeats its
// snapshot every minute, as an answer may be lost.
//
// # Limitations
//
// Publishers don't agree on who is one: before its first word each asks what is there,
// and ends if that is as new. Two that begin within that second don't notice.
package devicedata
