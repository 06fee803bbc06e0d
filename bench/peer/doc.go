// Package peer holds the processes of a measurement: a server, which is an edge's
// tier behind a contender, and a client, which is an adapter and does jobs.
//
//   - [Serve] and [Ask] are what runs in those processes.
//   - [StartServer] and [StartClient] start them, from the process that measures;
//     [Task] is what a client is told to do, [Taken] what came of it.
//
// They speak in lines of JSON on standard input and output, see package harness,
// and end when their input does.
package peer
