package contender

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed node/package.json node/package-lock.json node/adapter.js
var nodeProject embed.FS

const nodeProgram = "adapter.js"

// presentNode is why the adapter can't be run here. It may have to install it first.
func presentNode(ctx context.Context) error {
	_, err := installNode(ctx)
	return err
}

// installNode returns the folder that has the adapter and the packages it needs, and
// fills it if there is none yet: it is the user's, and named by what is in it. It
// gets its name when it is complete, so that two who fill it don't meet.
func installNode(ctx context.Context) (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("Node.js with npm is needed: %w", err)
		}
	}
	files, err := fs.Sub(nodeProject, "node")
	if err != nil {
		return "", err
	}
	name, err := digest(files)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to install it in: %w", err)
	}
	cache = filepath.Join(cache, "warmline-bench")
	dir := filepath.Join(cache, "node-"+name)
	if there(dir) {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "installing Fastify and undici in %s, once\n", dir)
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(cache, "unfinished-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished) // once it has its name there is nothing
	if err := os.CopyFS(unfinished, files); err != nil {
		return "", err
	}
	if err := run(ctx, unfinished, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"); err != nil {
		return "", err
	}
	// Without an input it ends as soon as it runs, unless this Node.js is too old for it.
	if err := run(ctx, unfinished, "node", nodeProgram); err != nil {
		return "", err
	}
	if err := os.Rename(unfinished, dir); err != nil && !there(dir) {
		return "", err
	}
	return dir, nil
}

// run runs a program to its end, which has to come.
func run(ctx context.Context, dir, program string, args ...string) error {
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s %s: %w", program, args[0], ctx.Err())
	default:
		return fmt.Errorf("%s %s: %w: %.500s", program, args[0], err, strings.Join(strings.Fields(string(said)), " "))
	}
}

// digest of the names and the contents of all files.
func digest(files fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(b), b)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

func there(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// nodeVersions are those of what the adapter is made of, as far as they can be told.
func nodeVersions() map[string]string {
	var project struct{ Dependencies map[string]string }
	b, _ := nodeProject.ReadFile("node/package.json") // it is in the program
	if json.Unmarshal(b, &project) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if said, err := exec.CommandContext(ctx, "node", "--version").Output(); err == nil {
		project.Dependencies["node"] = strings.TrimSpace(string(said))
	}
	return project.Dependencies
}
