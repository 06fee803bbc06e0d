// Package contender holds the ways in which an adapter can ask an edge for what a
// page needs, each as who knows it well would use it.
//
//   - A [Contender] serves a tier on one side and dials on the other.
//   - A [Client] does the jobs: a page, a chain of questions, a fan of them.
//   - [Present] says which of them can run on this machine.
//   - An [Asker] asks one question at a time; [OneByOne] makes a client of it.
//
// To add one, write a file with a function that serves the five questions of a
// [tier.Tier] and one that dials, and put it into the list of [All].
//
// A contender lives as long as the process it was made for, which is a process of
// its own: nothing here is closed.
package contender
