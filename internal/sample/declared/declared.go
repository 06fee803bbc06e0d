// Package declared runs what examples/edge.yaml declares in front of samples that
// run, for tests and benchmarks.
package declared

import (
	"bytes"
	"fmt"

	"warmline.dev/edgelayer/declare"
	"warmline.dev/examples"
	"warmline.dev/internal/sample"
)

const timeout = "timeout: 400ms"

// Patient is the example with another timeout of its sources: a duration, or off.
func Patient(time string) []byte {
	return bytes.Replace(examples.Edge, []byte(timeout), []byte("timeout: "+time), 1)
}

// New makes the tier. Time is the timeout of its sources, "" for that of the
// example. The caller closes it.
func New(samples *sample.Services, time string) (*declare.Tier, error) {
	text := examples.Edge
	if time != "" {
		if text = Patient(time); bytes.Equal(text, examples.Edge) {
			return nil, fmt.Errorf("the example has no %q any more", timeout)
		}
	}
	d, err := declare.Parse("edge.yaml", text)
	if err != nil {
		return nil, err
	}
	for _, name := range sample.Names() {
		if err := d.SetURL(name, samples.URL(name)); err != nil {
			return nil, err
		}
	}
	return declare.New(d, declare.Config{})
}
