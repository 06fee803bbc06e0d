package declare

import (
	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/yamlfile"
)

// reader reads a declaration, and collects what is wrong with it.
type reader struct{ *yamlfile.Reader }

func isOff(n *yaml.Node) bool {
	n = yamlfile.Resolved(n)
	return n.Kind == yaml.ScalarNode && n.Value == "off"
}
