// Package wire measures what one echo over loopback TCP costs by each
// [contender.Contender]: requests per second, latency and allocations, for as
// many requests in flight and payloads of such sizes as a [Config] asks for.
//
// [Run] is the measuring process. For each measurement of each round it starts a
// server and a client, processes that have nothing else to do: [Serve] and
// [Ask]. The client's [Loop] is closed: the reply to one request is what sends
// the next. A [Report] is what came out, with the [Bar]s that it allows to judge.
//
// The end of the context kills the processes under way, and Run returns when
// they are gone.
package wire
