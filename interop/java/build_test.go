package java

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	source = "peer"                   // the Maven project
	stamp  = "peer/target/built"      // the sum of the sources that target was built from
	jar    = "peer/target/peer-1.jar" // the program
	lib    = "peer/target/lib/*"      // what it needs
	atMost = 10 * time.Minute         // the first build downloads
)

// missing says what a machine lacks to run rsocket-java, nil if nothing.
func missing() error {
	var err error
	for _, program := range []string{"java", "mvn"} {
		if _, e := exec.LookPath(program); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// build makes the peer, unless it is there and its sources are as they were.
func build() error {
	sum, err := sourceSum()
	if err != nil {
		return err
	}
	if was, err := os.ReadFile(stamp); err == nil && string(was) == sum {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "clean", "package")
	mvn.Dir = source
	if out, err := mvn.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn package in interop/java/%s: %w\n%s", source, err, out)
	}
	return os.WriteFile(stamp, []byte(sum), 0o600)
}

// sourceSum covers everything that the build reads.
func sourceSum() (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".java") && !strings.HasSuffix(path, "pom.xml") {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)), err
}
