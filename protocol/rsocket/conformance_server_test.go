package rsocket

import "testing"

// TestServerConformance plays testdata/conformance/server.txt: the rules that a
// server keeps, as the raw frames that a client sends and those that come back.
func TestServerConformance(t *testing.T) {
	for _, s := range readScenarios(t, "server.txt") {
		t.Run(s.section+"/"+s.rule, func(t *testing.T) {
			overEach(t, func(t *testing.T, scheme string) {
				h := echo()
				h.Stream = count
				h.FireAndForget = nil
				l, addr := listen(t, scheme)
				serveAt(t, l, answering(h), s.config)
				dialRaw(t, addr).play(s.steps, func(s step) { t.Fatalf("%v: a server's application only answers", s) })
			})
		})
	}
}
