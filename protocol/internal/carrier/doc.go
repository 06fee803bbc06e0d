// Package carrier is what packages rsocket and rsocketgo do alike with the
// net.Conn that carries a connection: bound it, shake hands on it, tell who is
// at its other end, and close it so that the last word arrives.
package carrier
