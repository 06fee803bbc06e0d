package peers_test

import (
	"fmt"
	"strings"
	"testing"

	"warmline.dev/internal/golden"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/peers"
)

func TestParse(t *testing.T) {
	p, err := peers.Parse("peers.yaml", []byte(`
peers:
  tv-nodes: {certificate: tv.nodes.example, offers: [tv], calls: ["*"], changes-passports: true}
  batch:    {tokens: ["`+peers.HashToken(batchToken).String()+`"], calls: &some [catalogue, ratings]}
  edges:    {certificate: ["spiffe://example/edge", "edge.example"], hands-over: true}
  staff:    {tokens: "`+peers.HashToken(staffToken).String()+`", calls: *some, operates: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.Names()); got != "[tv-nodes batch edges staff]" {
		t.Error(got)
	}
	staff, refusal := p.IdentifyRequest(staffToken, nil)
	if refusal != nil || !staff.Operates || staff.HandsOver || !staff.MayCall("ratings") || staff.MayCall("members") || staff.MayOffer("tv") || staff.Changes {
		t.Errorf("%+v, %v", staff, refusal)
	}
}

// Each file of testdata/mistakes has what Parse says of it beside it, and nothing in
// that may be secret.
func TestEveryMistakeIsListed(t *testing.T) {
	golden.Mistakes(t, func(file string, text []byte) (*peers.Peers, error) {
		p, err := peers.Parse(file, text)
		if said := fmt.Sprint(err); strings.Contains(said, "warmline_") || strings.Contains(said, "e3b0c4") {
			t.Errorf("what may be secret is shown: %s", said)
		}
		return p, err
	})
}

func TestFilesAreBounded(t *testing.T) {
	for want, text := range map[string]string{
		"the file has 1048577 bytes":                 strings.Repeat("#", peers.MaxSize+1),
		"peers.yaml:1:1: expected YAML":              "",
		"there are more than 1000 peers":             "peers:\n" + numbered(1001, "  p%d: {certificate: p%d.example, operates: true}\n"),
		"has 65 entries; expected at most 64":        "peers: {a: {operates: true, certificate: [" + numbered(65, "p%d.p%d.example, ") + "]}}",
		"peers.yaml:100:3: \"P98\" is no name of a ": "peers:\n" + numbered(300, "  P%d: {certificate: P%d.example, operates: true}\n"),
	} {
		_, err := peers.Parse("peers.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "\n") > 100 {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i, i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	golden.Seed(f)
	f.Add([]byte("peers: {a: {certificate: a.example, calls: [\"*\"]}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := peers.Parse("peers.yaml", text)
		if list, ok := err.(mistake.List); err != nil && (!ok || len(list) == 0 || len(list) > mistake.Most+1 || p != nil) { //nolint:errorlint // it is never wrapped
			t.Fatalf("%v, %#v", p, err)
		}
		for _, m := range strings.Split(fmt.Sprint(err), "\n") {
			if strings.Contains(m, "1:1: peers: ") {
				t.Fatalf("New has found what Parse has not: %s", m)
			}
		}
	})
}
