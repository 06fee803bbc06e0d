// Package load puts a load of jobs on something and tells how long they took.
//
//   - A closed loop ([Config.Rate] 0) keeps so many jobs under way: the end of one
//     begins the next. It finds the throughput, and hides queues: who is slow is
//     asked less.
//   - An open loop begins jobs at a rate, however many are under way, as people do.
//     A job's time counts from when it was due, so a queue shows.
package load
