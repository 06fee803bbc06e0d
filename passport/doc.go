// Package passport is the signed statement of whom a call is made for. It is
// minted once, at the gateway, and carried by every request from there on, so
// that no tier asks again.
//
// # Nouns
//
//   - A [Passport] is the statement: plain values.
//   - A [Keyring] seals passports into signed bytes and opens them again. Only
//     gateways and services hold one: an adapter can read a passport ([Peek]) but
//     can't make or change one.
//   - A [Carrier] holds the sealed passport of one device request while calls
//     are made for it, and takes the changed one that a service hands back.
//
// # Sealed form
//
// A msgpack array of three: the key's name (str), the body (bin), and
// HMAC-SHA256 over all of it (bin, 32 bytes). The body is a msgpack array of the
// fields in the order of [Passport]; times are milliseconds since 1970. What is
// signed is the text "warmline passport 1", a zero byte, the name's length in
// one byte, the name, the body. docs/protocol.md has an example.
//
// Nothing here logs, and a Keyring does not print its keys. All but Passport
// itself is safe for concurrent use.
package passport
