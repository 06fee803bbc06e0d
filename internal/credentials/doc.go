// Package credentials reads the files by which a process proves who it is, and by
// which it knows who others are: certificate and key, the authorities that it trusts, a
// token, and peers; and its passport keys.
//
// While [Credentials.Run] runs they are read again when they change. One that is wrong
// changes nothing: what was read before stays, and the log says why. What is opened
// from then on has what is new; what stands, stays.
package credentials
