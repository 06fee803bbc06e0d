package contender

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"warmline.dev/bench/harness"
)

// dialNode starts the adapter, which asks the same edge as http1 does. It ends when
// its standard input does, and so with this process, however that ends.
func dialNode(ctx context.Context, addresses []string, load Load) (Client, error) {
	const patience = 30 * time.Second // for it to start
	dir, err := installNode(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{nodeProgram}
	for _, a := range addresses {
		args = append(args, "http://"+a)
	}
	ctx, kill := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_ENV=production")
	cmd.Stderr = os.Stderr // so who waits until nobody holds that of this process, waits for the adapter too
	process, err := harness.StartCommand("the adapter on Node.js", cmd)
	if err != nil {
		kill()
		return nil, err
	}
	slow := time.AfterFunc(patience, kill)
	address, err := process.Line()
	if !slow.Stop() {
		err = fmt.Errorf("the adapter on Node.js did not say within %s where it listens", patience)
	}
	if err != nil {
		kill()
		_ = process.Stop() // the error says more
		return nil, err
	}
	n := &node{
		process: process,
		ended:   make(chan struct{}),
		base:    "http://" + address,
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: load.Concurrency, DisableCompression: true}},
	}
	go n.watch()
	return n, nil
}

// node asks the adapter what a device would.
type node struct {
	process *harness.Process
	base    string
	client  *http.Client

	ended chan struct{} // closed when the adapter has gone
	why   error         // set before that
}

// watch waits for the end of the adapter, which prints nothing more.
func (n *node) watch() {
	defer close(n.ended)
	for n.why == nil {
		_, n.why = n.process.Line()
	}
}

// Usage is [Elsewhere].
func (n *node) Usage() harness.Usage {
	select {
	case <-n.ended: // its number may be another's by now
		return harness.Usage{}
	default:
		return n.process.Usage()
	}
}

func (n *node) Page(ctx context.Context, sealed []byte) (page Page, err error) {
	err = n.get(ctx, sealed, "/page", &page)
	return page, err
}

func (n *node) Chain(ctx context.Context, sealed []byte, depth int) (int, error) {
	return n.count(ctx, sealed, "/chain?depth="+strconv.Itoa(depth))
}

func (n *node) Fan(ctx context.Context, sealed []byte, width int) (int, error) {
	return n.count(ctx, sealed, "/fan?width="+strconv.Itoa(width))
}

func (n *node) count(ctx context.Context, sealed []byte, path string) (int, error) {
	var answer struct{ N int }
	err := n.get(ctx, sealed, path, &answer)
	return answer.N, err
}

func (n *node) get(ctx context.Context, sealed []byte, path string, into any) error {
	device := newHTTPAsker(sealed, (&httpServer{client: n.client, base: n.base}).get)
	err := device.get(ctx, path, into)
	if err == nil || ctx.Err() != nil {
		return err
	}
	select {
	case <-n.ended:
		return n.why
	default:
		return err
	}
}
