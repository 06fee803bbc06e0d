// Package examples holds what a user would start from: edge.yaml, an edge in front
// of the sample services, which warmline edge runs unless it is given another
// file; and in directories of their own, clients with other libraries.
package examples

import _ "embed"

// Edge is edge.yaml.
//
//go:embed edge.yaml
var Edge []byte
