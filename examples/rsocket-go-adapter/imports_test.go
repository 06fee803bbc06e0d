package main

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The example shows that the protocol can be spoken without Warmline's code.
func TestImports(t *testing.T) {
	allowed := []string{"github.com/rsocket/rsocket-go", "github.com/jjeffcaii/reactor-go/scheduler", "github.com/vmihailenco/msgpack/v5"}
	files, err := os.ReadDir(".")
	check1(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		check1(t, err)
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			check1(t, err)
			host, _, _ := strings.Cut(path, "/")
			ok := !strings.Contains(host, ".") // the standard library
			for _, a := range allowed {
				ok = ok || path == a || strings.HasPrefix(path, a+"/")
			}
			if !ok {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
}
