// Package device says what kind of device is asking, by its ESN or its User-Agent.
// It can't be missing: a table is built into the binary, what is not known is of the
// category "other", and no lookup fails or asks anybody.
//
// # Nouns
//
//   - A [Type] is a kind of device. Its [Category] is one of eight, for metrics'
//     labels; its ID is one of thousands, for logs.
//   - A [Table] says of which type a device is, in one version. It never changes.
//     [Embedded] is the one that is built in.
//   - [Devices] is what a gateway or an edge holds: the table in use, newer ones that
//     a publisher has signed, and a few older ones to go back to.
//
// # Which type
//
// The longest prefix of the ESN that the table has decides. Where it has none, or
// the device says no ESN, the first User-Agent rule that fits decides. The sample
// data's ESNs are KIND-MAKER-YEAR-MODEL-UNIT, such as WLTV-SAM-2021-Q80-7F3A09C41B2E;
// a table may have others, as a prefix is any text. A device may say what it likes:
// a type is for figures and for what is shown, and proves nothing.
//
// Measured on one core: 45 ns for an ESN that comes again, 80 ns for all that there
// are at random, 150 ns for a browser's User-Agent, 5 µs for the worst one that was
// found; no allocation.
//
// # The table's file
//
// devices.tsv in this directory is the one that is built in, and says how it is
// written; [Parse] reads such a file. Its families make some 2,400 types, and a
// snapshot of 21 kB that is decoded in 1.4 ms, once; it takes 0.3 MB of memory.
// go generate makes the snapshot, and a test says that it is what the table makes.
//
// # Publishing
//
// The data is published whole as a snapshot, or as a [Delta] from one version to the
// next ([Diff]), sealed by a [Keyring]. A delta says of which table it is, not of
// which number alone, so that nobody puts it on top of another one. Whoever missed
// one asks for a snapshot, through a function, and goes on with what is held. To
// take back a version everywhere is to publish what it had before as the next one;
// [Devices.Pin] takes it back in one process.
//
// What is asked for may be lost, so a publisher repeats its snapshot now and then:
// who holds it already verifies it and reads no further.
//
// Whoever holds a key of the keyring can publish, so adapters hold none. A version
// that is older than what is held is refused; a process that has just started holds
// what is built in, and can't tell that a newer one has been there.
//
// # Sealed form
//
// All is msgpack; a list is an array, a digest 32 bytes of bin, a time the
// milliseconds since 1970.
//
//	sealed   [key's name (str), body (bin), mac (bin, 32 bytes)], at most 64 KiB
//	mac      HMAC-SHA256 of "warmline devices 1", a zero byte, the name's length in
//	         one byte, the name, the body
//	body     [kind, version, base (bin), result (digest), content (bin)]
//	kind     1: snapshot; 2: delta
//	version  of the table that results; a delta is applied to the one before
//	base     digest of the table that a delta is applied to; empty for a snapshot
//	result   digest of the table that results
//	content  a table or a delta, through DEFLATE (RFC 1951); at most 4 MiB inflated
//	table    [version, made (time), rows, rules]
//	delta    [made (time), removed prefixes, rows added or changed, rules or nil if
//	         they stay]
//	rows     in the order of the prefixes, at most 16,384: [prefix (str), type]
//	rules    in the order in which they decide, at most 64: [words, words that must
//	         not be there, type], 64 different words at most
//	type     [ID (str), category (0 to 7), brand (str), name (str)]
//	digest   SHA-256 of a table as above, not deflated, each value in msgpack's
//	         shortest form
//
// What has a category that is not known here is refused as a whole: a binary that
// knows it goes out first.
//
// # Limitations
//
// The case of ESNs and User-Agents matters. Nothing is stored: a process that starts
// has what is built in until the first snapshot comes. All but [Config] is safe for
// concurrent use.
package device
