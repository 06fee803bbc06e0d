package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deploy/README.md names variables that the commands read.
func TestVariablesOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var help string
	for _, tier := range []string{"edge", "gateway", "node"} {
		text, _, _ := command(t, "", tier, "--help")
		help += text
	}
	names := regexp.MustCompile(`WARMLINE_[A-Z_]+`).FindAllString(string(guide), -1)
	if len(names) < 10 {
		t.Fatalf("only %q", names)
	}
	for _, v := range names {
		if !strings.Contains(help, "[$"+v+"]") {
			t.Errorf("there is no $%s", v)
		}
	}
}

// The systemd units start commands that exist, with variables that these read.
func TestUnitsMatchTheCommand(t *testing.T) {
	units, err := filepath.Glob("../../deploy/systemd/*.service")
	if err != nil || len(units) != 3 {
		t.Fatalf("%v, %v", units, err)
	}
	for _, path := range units {
		unit, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/warmline (.+)$`).FindStringSubmatch(string(unit))
		if start == nil {
			t.Fatalf("%s starts no warmline", path)
		}
		help, _, code := command(t, "", append(strings.Fields(start[1]), "--help")...)
		if code != exitOK {
			t.Errorf("%s: warmline %s: exit %d", path, start[1], code)
		}
		for _, v := range regexp.MustCompile(`WARMLINE_[A-Z_]+`).FindAllString(string(unit), -1) {
			if !strings.Contains(help, "[$"+v+"]") {
				t.Errorf("%s: warmline %s knows no $%s", path, start[1], v)
			}
		}
	}
}
