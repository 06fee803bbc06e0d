package edge_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
	"warmline.dev/nodelayer"
)

// reloads is an edge whose file goes through a lot.
type reloads struct {
	*films
	t    *testing.T
	e    *edge.Edge
	file string
	line *nodelayer.Edge
}

func newReloads(t *testing.T, change func(cfg *edge.Config)) *reloads {
	t.Helper()
	r := &reloads{films: newFilms(t), t: t}
	r.e, r.file = start(t, r.declaration("1.0.0", "ttl: 1m"), change)
	r.line = dial(t, r.e, map[string]string{"films": ">=1"})
	r.want("1.0.0")
	return r
}

func (r *reloads) want(version string) {
	r.t.Helper()
	await.Until(r.t, "the line to have films "+version, func() bool { return r.line.Resolved()["films"] == version })
}

// stays wants all to be as it was after the file has been looked at a few times.
func (r *reloads) stays(what, version string) {
	r.t.Helper()
	time.Sleep(1200 * time.Millisecond)
	r.e.Reload()
	if _, err := ask(r.t, r.line, "17"); err != nil || r.line.Resolved()["films"] != version {
		r.t.Fatalf("%s, and told to reload: %v, %v", what, r.line.Resolved(), err)
	}
}

func (r *reloads) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	r := newReloads(t, nil)
	r.check(os.Rename(r.file, r.file+".old"))
	r.stays("a file that is gone", "1.0.0")
	r.check(os.Mkdir(r.file, 0o700))
	r.stays("a directory", "1.0.0")
	r.check(os.Remove(r.file))
	write(t, r.file, "")
	r.stays("an empty file", "1.0.0")
	r.check(os.Remove(r.file))
	r.check(syscall.Mkfifo(r.file, 0o600))
	r.stays("a pipe that nobody writes to", "1.0.0")
	pipe, err := os.OpenFile(r.file, os.O_RDWR, 0)
	r.check(err)
	r.stays("a pipe that somebody holds open", "1.0.0")
	r.check(errors.Join(pipe.Close(), os.Remove(r.file)))
	write(t, r.file, r.declaration("1.1.0", "ttl: 1m"))
	r.want("1.1.0")
}

// As Kubernetes keeps a ConfigMap: the file is a link into a directory that is a link,
// which is what is replaced.
func TestALinkThatIsSwapped(t *testing.T) {
	dir := t.TempDir()
	file, data := filepath.Join(dir, "edge.yaml"), filepath.Join(dir, "..data")
	r := newReloads(t, func(cfg *edge.Config) {
		text, err := os.ReadFile(cfg.File)
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, "..1"), 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "..1", "edge.yaml"), string(text))
		for link, to := range map[string]string{data: "..1", file: "..data/edge.yaml"} {
			if err := os.Symlink(to, link); err != nil {
				t.Fatal(err)
			}
		}
		cfg.File = file
	})
	for i := range 3 {
		version := fmt.Sprintf("1.%d.0", i+1)
		next := filepath.Join(dir, fmt.Sprintf("..%d", i+2))
		r.check(os.Mkdir(next, 0o700))
		write(t, filepath.Join(next, "edge.yaml"), r.declaration(version, "ttl: 1m"))
		r.check(os.Symlink(filepath.Base(next), data+"_tmp"))
		r.check(os.Rename(data+"_tmp", data))
		r.check(os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..%d", i+1))))
		r.want(version)
	}
}

// A file that is being written may make sense at every line: what is not finished is
// not put into force.
func TestAFileThatIsBeingWritten(t *testing.T) {
	r := newReloads(t, nil)
	whole := r.declaration("1.1.0", "ttl: 1m") + "    1.2.0:\n      films: {read: films.film, args: {ids: {list: string, most: 200}}, each: {ids: id}, as: films}\n"
	part := whole[:strings.Index(whole, "    1.2.0")]
	versions := map[string]bool{}
	for i := range 40 { // the writer is slow, and never still for as long as it is looked at
		write(t, r.file, part+strings.Repeat("#", i))
		time.Sleep(100 * time.Millisecond)
		versions[r.line.Resolved()["films"]] = true
	}
	write(t, r.file, whole)
	r.want("1.2.0")
	if versions["1.1.0"] {
		t.Error("a file that was being written was put into force")
	}
}

// Whoever reloads while the edge stops, or afterwards, leaves nothing behind.
func TestReloadWhileItStops(t *testing.T) {
	var cfg edge.Config
	r := newReloads(t, func(c *edge.Config) { cfg = *c })
	e, err := edge.Start(t.Context(), cfg) // one that is shut down once
	r.check(err)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	reload := func(ttl int) {
		write(t, r.file, r.declaration("1.0.0", fmt.Sprintf("ttl: %ds", ttl)))
		e.Reload()
	}
	wg.Go(func() {
		for i := 100; ; i++ {
			select {
			case <-stop:
				return
			default:
				reload(i)
			}
		}
	})
	time.Sleep(100 * time.Millisecond)
	r.check(e.Shutdown(await.Context(t)))
	close(stop)
	wg.Wait()
	reload(99)
}
