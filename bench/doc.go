// Package bench holds the benchmarks that cross packages: what a call, a
// conversation and a whole device request cost over real loopback sockets.
//
//	go test -run '^$' -bench . ./bench
package bench
