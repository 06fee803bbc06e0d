package peers

import (
	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// MaxSize bounds a file, in bytes.
const MaxSize = yamlfile.MaxSize

const (
	maxPeers = 1000
	maxList  = 64 // entries of one list
)

// Parse reads a file of peers. File is its name in messages. The error is a
// [mistake.List]: all there are, and nothing in them that stands where a token's hash
// is expected.
func Parse(file string, text []byte) (*Peers, error) {
	in, doc := yamlfile.Read(yamlfile.Config{File: file, Has: "peers", Secret: true}, text)
	r := &reader{Reader: in, tokens: map[Hash]string{}, certificates: map[string]string{}}
	var declared []Peer
	if doc != nil {
		declared = r.peers(doc)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	p, err := New(declared...)
	if err != nil { // the reader has looked at all of it
		return nil, mistake.List{{File: file, Line: 1, Column: 1, Text: err.Error()}}
	}
	return p, nil
}

// reader reads a file, and collects what is wrong with it.
type reader struct {
	*yamlfile.Reader
	tokens       map[Hash]string   // whose
	certificates map[string]string // whose
}

func (r *reader) peers(doc *yaml.Node) (declared []Peer) {
	const how = "peers: and a peer under each name"
	f := r.Fields(doc, "the file", how)
	n := f.Get("peers")
	f.Done()
	if yamlfile.IsNull(n) && r.Len() == 0 {
		r.Wrong(f.At, "the file has no peers; expected %s", how)
	}
	for e := range r.Entries(n, "peers", "a peer under each name") {
		if len(declared) == maxPeers {
			r.Wrong(e.Key, "there are more than %d peers; expected fewer", maxPeers)
			break
		}
		declared = append(declared, r.peer(e))
	}
	return declared
}

// peer reads one.
func (r *reader) peer(e yamlfile.Entry) Peer {
	name := mistake.Clip(e.Name())
	if !validName.MatchString(e.Name()) {
		r.Wrong(e.Key, "%q is no name of a peer; expected %s", name, howName)
	}
	before, what := r.Len(), "peer "+name
	f := r.Fields(e.Value, what, "certificate or tokens, and what it may do")
	p := Peer{
		Name:         e.Name(),
		Certificates: r.certificate(e.Name(), what, f.Get("certificate")),
		Tokens:       r.hashes(e.Name(), what, f.Get("tokens")),
		Offers:       r.names(what+" offers", "adapters", f.Get("offers")),
		Calls:        r.names(what+" calls", "services", f.Get("calls")),
		Changes:      r.Yes(f.Get("changes-passports"), what+": changes-passports"),
		HandsOver:    r.Yes(f.Get("hands-over"), what+": hands-over"),
		Operates:     r.Yes(f.Get("operates"), what+": operates"),
	}
	f.Done()
	if why := p.wrong(); r.Len() == before && (why == noProof || why == noRight) {
		r.Wrong(e.Key, "%s: %s", what, why)
	}
	return p
}

// list is a scalar or a list of scalars.
func (r *reader) list(n *yaml.Node, what, how string) []*yaml.Node {
	if v := yamlfile.Resolved(n); v != nil && v.Kind == yaml.SequenceNode && len(v.Content) > maxList {
		r.Wrong(n, "%s has %d entries; expected at most %d", what, len(v.Content), maxList)
		return nil
	}
	return r.Texts(n, what, how)
}

func (r *reader) certificate(peer, what string, n *yaml.Node) (names []string) {
	for _, e := range r.list(n, what+": certificate", "a DNS name or a URI, or a list of them") {
		if why := wrongCertificate(e.Value); why != "" {
			r.Wrong(e, "%s: %s", what, why)
			continue
		}
		if other, taken := r.certificates[e.Value]; taken {
			r.Wrong(e, "%s: certificate %s is that of peer %s already", what, mistake.Clip(e.Value), mistake.Clip(other))
			continue
		}
		r.certificates[e.Value] = peer
		names = append(names, e.Value)
	}
	return names
}

func (r *reader) hashes(peer, what string, n *yaml.Node) (hashes []Hash) {
	for _, e := range r.list(n, what+": tokens", "a list of sha256: and 64 hex digits each, as warmline peer token prints them") {
		h, err := ParseHash(e.Value)
		if err != nil {
			r.Wrong(e, "%s: a token: %v", what, err)
			continue
		}
		if other, taken := r.tokens[h]; taken {
			r.Wrong(e, "%s: this token is one of peer %s already", what, mistake.Clip(other))
			continue
		}
		r.tokens[h] = peer
		hashes = append(hashes, h)
	}
	return hashes
}

func (r *reader) names(what, kind string, n *yaml.Node) (names []string) {
	for _, e := range r.list(n, what, "names of "+kind+`, or "*" for all`) {
		if e.Value != all && !validName.MatchString(e.Value) {
			r.Wrong(e, `%s %q; expected %s, or "*" for all`, what, mistake.Clip(e.Value), howName)
			continue
		}
		names = append(names, e.Value)
	}
	return names
}
