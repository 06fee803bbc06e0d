// Package bus publishes to, and subscribes with, the other processes of an
// installation. NATS carries it: a server inside this process by default, an
// external one or a cluster by URL. Nothing waits for it in order to answer a
// request: without it a process goes on with what it knows last, and is told of
// the gap when the bus is back.
//
// # Nouns
//
//   - A [Bus] is a process's connection, and the embedded server if there is one.
//     It connects again by itself until it is closed.
//   - A subject names what a message is about: words with dots between them.
//     Whoever subscribes may write * for one word, and > for all that follow.
//   - A [Subscription] is given the messages of its subject, and told of gaps.
//
// # Gaps
//
// Nothing is kept for who is not there. So a subscriber is told when it may have
// missed something: once its subscription is in force at the server, the first
// time and each time after the connection was lost, and when messages came
// faster than it took them. What is published after that reaches it, or it is
// told again. It does well to forget, or read anew, what it learned from the bus.
//
// # Cancellation
//
// [Bus.Publish] ends with its context. A server that falls silent is given up
// after 3 seconds, and one that can't be reached is tried at least once a second
// for each of its addresses.
//
// # Limitations
//
// Core publish and subscribe: at most once, no history. In a cluster of servers
// the one that confirms a subscription tells the others a moment later. Servers
// that a cluster announces are not learned: name several in the URL. A server gets
// a user and a password or a token, and no certificate. The embedded server asks
// nobody who they are, and so listens on a loopback address alone.
package bus
