package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

const usage = `rsocket-go-adapter is an adapter "lite" 1.0.0, written with rsocket-go alone.

It dials an edge and a gateway, and answers GET /lite/home?profile=paul there.

  -edge ADDRESS        the edge to ask (default tcp://127.0.0.1:7070)
  -gateway ADDRESS     the gateway to be offered to (default tcp://127.0.0.1:7080)
  -token FILE          a token that says who dials
  -ca FILE             certificates, in PEM, of who is trusted at tls://HOST:PORT
                       (default: the system's)
  -want SERVICE=RANGE  want another range of a service, such as catalogue=^1.4;
                       may be repeated
  -h                   this text

Ctrl-C ends it when the device requests under way have been answered.
`

// errHelp is returned by parse for -h.
var errHelp = flag.ErrHelp

type options struct {
	edge, gateway string
	token, ca     string            // files
	wants         map[string]string // service to semver range
}

func parse(args []string) (options, error) {
	o := options{wants: map[string]string{
		// Version 1 of catalogue says "year"; version 2 says "released", and this
		// adapter would have to be changed for it.
		"profiles": "^1", "recommendations": "^1", "catalogue": "^1.4",
	}}
	fs := flag.NewFlagSet("rsocket-go-adapter", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints what parse returns
	fs.StringVar(&o.edge, "edge", "tcp://127.0.0.1:7070", "")
	fs.StringVar(&o.gateway, "gateway", "tcp://127.0.0.1:7080", "")
	fs.StringVar(&o.token, "token", "", "")
	fs.StringVar(&o.ca, "ca", "", "")
	fs.Func("want", "", func(s string) error {
		service, rng, ok := strings.Cut(s, "=")
		if !ok || service == "" || rng == "" {
			return errors.New("expected SERVICE=RANGE")
		}
		o.wants[service] = rng
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("%q is not expected", fs.Arg(0))
	}
	return o, nil
}
