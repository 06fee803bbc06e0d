// Package edgepb is the questions of the job as gRPC has them, generated from
// edge.proto by generate.sh.
package edgepb

//go:generate sh generate.sh
