// Package service is what the services of examples/edge.yaml take and answer, as
// adapters and other clients in Go decode it.
package service
