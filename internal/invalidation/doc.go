// Package invalidation tells every edge over the bus what has changed at a source,
// so that each drops it from its warm caches.
//
// A message on the subject warmline.invalidate is a [warm.Invalidation] in JSON, with
// the name of who sent it in "from". Anybody on the bus may send one: a mid-tier
// service that knows what it changed needs no edge for it. What an edge can't read
// makes it drop everything. A message with an "echo" is an edge's to itself: when it
// comes back, all that was said before has been heard.
//
// An edge that was cut off from the bus drops everything when it is back, as it
// can't vouch for any of it. What it had to tell meanwhile it tells then.
package invalidation
