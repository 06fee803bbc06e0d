// Package frame reads and writes RSocket 1.0 frames. It does no I/O, keeps no
// state and reads no clock: bytes in, a [Frame] out, and the other way round.
//
// A frame here is what stands between two length prefixes on TCP: it begins
// with the stream id and carries no length of its own (specification, "Framing
// Format").
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-------------------------------------------------------------+
//	|0|                         Stream ID                           |
//	+-----------+-+-+---------------+-------------------------------+
//	|Frame Type |I|M|     Flags     |   what the type carries …
//	+-----------+-+-+---------------+-------------------------------+
//
// [Parse] validates everything that can be said about one frame alone: that it
// is as long as its type demands, that no length inside it runs past its end,
// and that numbers the specification calls positive are positive. What depends
// on other frames (an id in use, credit, order) is the connection's concern.
//
// # Ownership
//
// Parse returns views of the bytes that it was given and copies nothing. The
// Append functions append to the slice that they are given and keep nothing.
// Nothing in this package is affected by concurrent use.
package frame
