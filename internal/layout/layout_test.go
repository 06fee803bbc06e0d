package layout

import (
	"os/exec"
	"strings"
	"testing"
)

// Imports run downwards only: who may not import whom, tests not counted. A
// package is meant with everything below it.
var forbidden = []struct{ who, whom, why string }{
	{"protocol", "edgelayer", "the protocol knows nothing of the layers"},
	{"protocol", "nodelayer", "the protocol knows nothing of the layers"},
	{"protocol", "passport", "a passport is opaque bytes to the protocol"},
	{"protocol", "internal", "the protocol stands alone"},
	{"protocol/mistake", "protocol", "what is wrong with a file can be said of any file"},
	{"protocol/yamlfile", "protocol ", "who reads a file knows nothing of what it is for"},
	{"protocol/yamlfile", "protocol/peers", "who reads a file knows nothing of what it is for"},
	{"protocol/yamlfile", "protocol/rsocket", "who reads a file knows nothing of what it is for"},
	{"protocol/rsocket", "protocol ", "the engine knows nothing of what is said on it"},
	{"protocol/rsocket/frame", "protocol/rsocket ", "the codec knows nothing of connections"},
	{"protocol/rsocket", "protocol/peers", "the engine knows nothing of who speaks on it"},
	{"protocol/rsocket", "protocol/rsocketgo", "the engine knows nothing of its other carrier"},
	{"protocol/rsocket", "github.com/rsocket/rsocket-go", "the engine is there so that rsocket-go need not be"},
	{"protocol/rsocketgo", "protocol ", "a carrier knows nothing of what is said on it"},
	{"edgelayer", "github.com/rsocket/rsocket-go", "it is not safe by itself: protocol/rsocketgo is how it is used"},
	{"nodelayer", "github.com/rsocket/rsocket-go", "it is not safe by itself: protocol/rsocketgo is how it is used"},
	{"passport", "edgelayer", "both layers use passports"},
	{"passport", "nodelayer", "both layers use passports"},
	{"passport", "internal", "a library that others import needs nothing of ours"},
	{"edgelayer", "nodelayer", "the layers never import each other"},
	{"nodelayer", "edgelayer", "the layers never import each other"},
	{"edgelayer", "internal", "a library that others import needs nothing of ours"},
	{"nodelayer", "internal", "a library that others import needs nothing of ours"},
}

const module = "warmline.dev/"

func TestImportsRunDownwards(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages++
		for _, imported := range fields[1:] {
			for _, f := range forbidden {
				if below(fields[0], f.who) && below(imported, f.whom) {
					t.Errorf("%s imports %s: %s", fields[0], imported, f.why)
				}
			}
		}
	}
	if packages < 10 {
		t.Errorf("go list found %d packages", packages)
	}
}

// below reports whether a package is the one named or inside it; a name that
// ends in a space means that package alone.
func below(pkg, name string) bool {
	pkg = strings.TrimPrefix(pkg, module)
	if alone, ok := strings.CutSuffix(name, " "); ok {
		return pkg == alone
	}
	return pkg == name || strings.HasPrefix(pkg, name+"/")
}
