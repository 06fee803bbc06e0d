// Package contender holds the ways of asking a server that the bench sets
// against each other, each with the settings that who knows it well would choose.
//
//   - A [Contender] serves on one side and dials on the other.
//   - A [Lane] carries one request at a time, a [Stream] as many as are in flight.
//   - A [Load] is what both sides are told to expect.
//
// To add one, write a file with its two functions and put it into the list of
// [All]. It echoes: the reply to a request is the request.
//
// A contender lives as long as the process it was made for, which is a process
// of its own: nothing here is closed.
package contender
