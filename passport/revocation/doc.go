// Package revocation has every gateway know whose account changed of late, so that
// nobody is asked about a cookie whose owner's did not, and one that was signed out
// everywhere is refused everywhere, at once.
//
// # Nouns
//
//   - An entry says that the account behind an id changed, and when. It counts
//     against cookies issued before it: they are in question, and the account source
//     is asked. All others pass.
//   - A [Set] is what a gateway holds: a [Filter] that all checks read, and the
//     entries themselves, read by those that the filter does not let pass.
//   - A [Window] is what a publisher keeps, in a file: the entries that still matter.
//   - A [Publisher] follows account events and tells gateways; a [Follower] is a
//     gateway's ear. Both need a [Bus], and none of them needs it in order to answer.
//
// # Time
//
// Times are whole seconds. A cookie passes if it was issued more than the margin after
// the entry, as the clocks of gateways and account source may differ by so much. An
// entry leaves when every cookie that it counts against is older than the window: the
// window must be as long as any cookie is trusted without a question, the time in which
// a stale one is honoured included. A gateway lets an entry go after window and margin
// by its own clock, a publisher one margin later. Every mistake in between costs a
// question and lets nothing pass. What is told of a time that is yet to come is taken to
// be of now.
//
// # Nothing is lost
//
// A publisher numbers its changes. A set that misses one, or is told of a gap, is not
// complete until it was told all; what it knows it knows meanwhile. Nothing that is
// told takes an entry away: snapshots are merged, of one publisher or several. So
// publishers may run side by side, each by itself enough: whatever is new to one, from
// an account event or from another publisher, it tells under its own number (or has a
// number go by untold, where that is much, and whoever does not hold the same asks).
// When one is replaced, the new one must begin while the old one runs, or have its
// file: it answers for all only when it has heard all that the others hold. A set
// counts on those heard within 35 seconds.
//
// # On the bus
//
// Subjects: changes and beats go to [ChangeSubject], which all gateways hear. Parts of
// snapshots go to [SnapshotSubject], every minute and when one is asked for; only who is
// not complete subscribes to it. What is asked goes to [AskSubject].
//
// A message, numbers big-endian:
//
//	 3  57 52 01: "WR" and the version
//	 1  kind: 1 change, 2 beat, 3 part, 4 ask
//	 1  length n of the key's name, 1 to 64
//	 n  the key's name
//	    the body
//	32  HMAC-SHA256 by that key over the text "warmline revocation 1", a zero byte, and all of
//	    the above
//
// Every body begins with:
//
//	8  epoch: a random number of the sender, drawn anew at each start
//	8  the number of the last change that it has told, 0 at its start
//	8  when it was sent, in milliseconds since 1970; grows with each message of an epoch
//
// An entry:
//
//	8  XXH64 of the id with the seed 0 (1 if that is 0); 0 stands for every id
//	4  when the account changed, in whole seconds since 1970
//
// Entries are sorted by hash and none is there twice. Behind the beginning of the body
// come, in a change, whose number is its own, 1 to 5,000 entries. In a beat:
//
//	 4  a time in seconds since 1970
//	 4  how many entries of then and later the publisher holds
//	32  SHA-256 over them, sorted
//
// In a part of a snapshot, up to 5,120,000 entries in 1 to 1,024 parts:
//
//	4  entries of the whole snapshot
//	2  which part this is, from 0
//	2  how many there are
//	   5,000 entries, in the last part what is left
//
// All parts of one snapshot have the same beginning. In an ask, for each of up to 16
// publishers:
//
//	8  its epoch
//	8  the number of the change up to which nothing is missing
//
// A publisher answers an ask with a beat, ten times a second at most, and with a snapshot
// unless the ask has its last number, once a second at most. A message has at most 64,512
// bytes.
//
// # Trust
//
// Who holds a key can put every customer in question, which costs questions, and can't
// have one pass who was told of. Who is on the bus without a key can hold messages back,
// which the set's age shows, and send old ones again, which are merged.
//
// # Limitations
//
// The ids themselves are nowhere: a set can't tell who is in it.
package revocation
