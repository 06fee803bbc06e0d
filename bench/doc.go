// Package bench holds the benchmarks that cross packages: what a call, a
// conversation and a whole device request cost over real loopback sockets.
//
//	go test -run '^$' -bench . ./bench
//
// It is the warmline-bench command too, which sets Warmline against what else
// could be used, in processes of their own: [Run], a file per subcommand. See
// README.md for how to read what it prints, and package contender for how to add
// to what is compared.
package bench
