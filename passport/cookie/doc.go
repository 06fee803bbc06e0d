// Package cookie is what a device keeps between its requests: who it is signed
// in for, so that nobody has to be asked who that is.
//
// # Nouns
//
//   - A [Cookie] is what lasts of a passport, the session that it belongs to, and
//     its times. Until [Cookie.TrustedUntil] it is [Trusted]: no account source is
//     asked. After that it is [Stale]: whoever reads it asks once and writes a new
//     one, or honours it for a while if nobody can be asked.
//   - A [Jar] reads cookies from requests and writes them to answers. It holds the
//     keys; it has no clock, no goroutines and nothing to close.
//
// What an answer with a Set-Cookie may be kept by is its writer's to say
// (Cache-Control). There is no list of cookies anywhere: that one was signed out
// is what warmline.dev/passport/revocation and the account source know.
//
// # Sealed form
//
// The value of the cookie is base64url (RFC 4648, section 5) without padding, of
//
//	01                 the version of this form
//	nn                 length of the key's name
//	..                 the key's name, 1 to 64 bytes
//	.. (24 bytes)      nonce, random
//	..                 XChaCha20-Poly1305 of the body, 16 bytes longer than it
//
// All before the nonce is the additional data. The key is HKDF-SHA-256 of the
// secret of the [passport.Key] of that name: 32 bytes, no salt, and as info the
// text "warmline cookie 1", a zero byte, the name's length in one byte, the name.
// So a key that seals passports too, seals no cookie with the same bytes.
//
// XChaCha20-Poly1305 and not AES-256-GCM, whose nonces of 12 bytes may be drawn
// at random for 2^32 cookies of a key only (NIST SP 800-38D, 8.3): 158 million
// devices that are given one every eight hours are through with that in ten days.
// 24 bytes last for any number, at less than a microsecond more.
//
// The body is a msgpack map with keys that rise. What is empty is left out, and a
// key that is not known here is passed over, so that cookies can hold more one
// day: a gateway that is older reads them, and forgets the rest when it renews one.
//
//	1  audience        str
//	2  session         bin, 16 bytes; required
//	3  begun           int, milliseconds since 1970; required
//	4  issued          int, milliseconds since 1970; required
//	5  trusted until   int, milliseconds since 1970
//	6  customer        str
//	7  profile         str
//	8  plan            str
//	9  device          str
//	10 country         str
//	11 level           int
//	12 preferences     map of str to str
//	13 references      map of str to bin, 32 bytes
//
// # Example
//
// With the key 2026-01 whose secret is the bytes 00 to 1f, and the nonce 40 to 57:
// audience "tv.example", session a0 to af, begun 2026-01-02 03:04:05.678 UTC,
// issued an hour later and trusted for eight hours, customer "c-1001", profile
// "p-1", plan "premium", device "tv", country "DE", authenticated (2), the
// preference "autoplay" is "off". The body:
//
//	8c 01 aa 74762e6578616d706c65 02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
//	03 d30000019b7ca98f2e 04 d30000019b7ce07dae 05 d30000019b7e97f1ae
//	06 a6 632d31303031 07 a3 702d31 08 a7 7072656d69756d 09 a2 7476 0a a2 4445
//	0b 02 0c 81 a8 6175746f706c6179 a3 6f6666
//
// and the value of the cookie:
//
//	AQcyMDI2LTAxQEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXt3Tx4yXY5C5FGxmdZv01M2q5VnyeMhEVCJGcBJ35RJAd
//	aJTbDcXTXtOENBYiz0c3tC6uRaTBKb54oVhRUacIA7Wzu2ZFGR8A1P8eEkJzUh5ZLhSWiBk91KGlMNWLzUZ0J8Vc
//	20mg9KZPmOTb-VwQW0Fl6ngYrQwcJv6UPGU
//
// # Limitations
//
// Whoever has the cookie is the device: it is for HTTPS, and [Config.Insecure]
// is for development. Two answers to one device at the same time may both write
// one; the later counts, and both are good.
package cookie
