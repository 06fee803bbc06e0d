// Package chain measures how the latency of a job grows by each
// [contender.Contender]: with its depth, where each question needs the answer to the
// one before it, and with its width, where all questions can be asked at once.
//
// [Run] is the measuring process. For each contender of each round it starts a
// server and a client (package peer), and a link between them where there is a
// round-trip time, and has them do jobs of every depth and width.
// A [Report] is what came out.
package chain
