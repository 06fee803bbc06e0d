package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// This adapter, as it introduces itself to both sides.
const (
	name    = "lite"
	version = "1.0.0"
)

// patience is how long the end waits for device requests that are under way.
const patience = 5 * time.Second

// run is the program: it returns the exit code when ctx ends, or something goes
// wrong before.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "rsocket-go-adapter: %v; -h tells more\n", err)
		return 2
	}
	err = serve(ctx, opts, stdout)
	if err != nil && !errors.Is(err, context.Canceled) { // told to end before the lines stood
		fmt.Fprintf(stderr, "rsocket-go-adapter: %v\n", err)
		return 1
	}
	return 0
}

// serve opens the two lines and waits. The edge comes first: an adapter that is
// offered must be able to answer.
func serve(ctx context.Context, opts options, stdout io.Writer) error {
	who, err := readProof(opts.token, opts.ca)
	if err != nil {
		return err
	}
	edge, err := dial(ctx, "edge", opts.edge, hello{
		Name: name, Version: version, Protocol: protocolRange, Wants: opts.wants,
	}, who, nil)
	if err != nil {
		return err
	}
	defer edge.close()
	fmt.Fprintf(stdout, "%s resolved to %s\n", edge, list(edge.welcome.Resolved))

	a := &adapter{edge: edge.client}
	gateway, err := dial(ctx, "gateway", opts.gateway, hello{
		Name: name, Version: version, Protocol: protocolRange, Offers: map[string]string{name: version},
	}, who, a.responder())
	if err != nil {
		return err
	}
	// Deferred calls run last first: take no more and finish what is under way,
	// let go of the gateway's line, and only then of the edge's.
	defer gateway.close()
	defer func() {
		a.busy.drain(patience)
		gateway.settle()
	}()
	fmt.Fprintf(stdout, "%s has %s %s: GET /%s/home\n", gateway, name, version, name)

	select {
	case <-ctx.Done():
		return nil
	case <-edge.lost:
		err = edge.lostError()
	case <-gateway.lost:
		err = gateway.lostError()
	}
	if ctx.Err() != nil {
		return nil // everything was told to end at the same time
	}
	return err
}

// list is "catalogue 1.4.2, profiles 1.0.0".
func list(versions map[string]string) string {
	var all []string
	for _, service := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, service+" "+versions[service])
	}
	return strings.Join(all, ", ")
}
