// Package passport is the signed statement of whom a call is made for. It is
// minted once, at the gateway, and carried by every request from there on, so
// that no tier asks again.
//
// # Nouns
//
//   - A [Passport] is the statement: plain values.
//   - A [Keyring] seals passports into signed bytes, opens them again, and adds
//     changes. Only gateways and services hold one: an adapter can read a passport
//     ([Peek]) and can put two of them together ([Merge]), but can't make or change
//     one.
//   - A [History] says who made a passport what it is.
//   - A [Carrier] holds the sealed passport of one device request while calls
//     are made for it, and takes the changed one that a service hands back.
//
// # Sealed form
//
// What was minted, with each change behind those it followed; nothing between, nothing
// twice and nothing behind. All of it is msgpack.
//
// Minted is an array of three: the key's name (str), the body (bin), and a MAC (bin,
// 32 bytes). The body is an array of 12: customer, profile, plan, device, country
// (str), level (uint), preferences (map of str to str), references (map of str to
// bin, 32 bytes), audience, origin (str), issued and expires (int, milliseconds since
// 1970).
//
// A change is an array of four: the key's name (str), the first 8 bytes of the MAC of
// each link that it follows (bin), the body (bin) and a MAC (bin, 32 bytes). It follows
// those that no other one did: more than one where changes were merged. The body is
// an array of three: by (str), at (int, microseconds since 1970, later than the changes
// it follows), and what is set: a map of the field's name (str) to its value (str, uint
// for "level", nil for a preference that is taken away). The keys of maps are in order.
//
// A MAC is HMAC-SHA256 over: the text "warmline passport 2" or "warmline change 2", a
// zero byte, the length of the key's name (1 byte), the key's name, of a change the MAC
// of the link that it follows (32 bytes), the body. Of a change that follows several the
// text is "warmline changes 2", and behind the key's name stand their number (1 byte) and
// their MACs, in the order in which it has them. docs/protocol.md has an example.
//
// # Changes that did not know of one another
//
// Where calls in parallel change a passport, two changes follow the same link. All of
// them count. Of two that set the same field, the later one does, by its time and then
// by its MAC; but of two levels the lower one, so that nothing undoes a signing out.
// Everybody who looks finds the same, and a [Conflict] tells of it.
//
// Nothing here logs, and a Keyring does not print its keys. All but Passport
// itself is safe for concurrent use.
package passport
