package peers_test

import (
	"strings"
	"testing"

	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
)

func TestRights(t *testing.T) {
	of := fleet(t)
	all := map[string]*peers.Peer{}
	for name, token := range map[string]string{"batch": batchToken, "staff": staffToken} {
		peer, refusal := of.IdentifyRequest(token, nil)
		if refusal != nil || peer.Name != name {
			t.Fatal(peer, refusal)
		}
		all[name] = peer
	}
	for _, tt := range []struct {
		refusal *protocol.Refusal
		want    string // "": it may
	}{
		{of.MayCall(all["batch"], "catalogue", "ratings"), ""},
		{of.MayCall(all["batch"]), ""},
		{of.MayCall(all["batch"], "members", "ratings", "catalogues"), "peer batch may not call catalogues, members; it may call catalogue, ratings"},
		{of.MayCall(all["staff"], "members"), "peer staff may not call members; it may call nothing"},
		{of.MayCall(all["batch"], "*"), "peer batch may not call *; it may call catalogue, ratings"},
		{of.MayCall(all["batch"], strings.Repeat("x", 300)+"\n"), "peer batch may not call " + strings.Repeat("x", 200) + "…; it may call catalogue, ratings"},
		{of.MayOffer(all["batch"], "tv"), "peer batch may not offer tv; it may offer nothing"},
		{of.MayNot(all["batch"], "take over what an edge holds"), "peer batch may not take over what an edge holds"},
	} {
		switch {
		case tt.refusal == nil && tt.want == "":
		case tt.refusal == nil || tt.refusal.Message != tt.want || tt.refusal.Code != protocol.Forbidden:
			t.Errorf("got %v, want %s", tt.refusal, tt.want)
		}
	}
	if got := of.Stats(); got != (peers.Stats{Forbidden: 6}) {
		t.Errorf("%+v", got)
	}
	if _, refusal := of.IdentifyRequest("", nil); refusal == nil || refusal.Code != protocol.Unauthenticated {
		t.Error("no token is a peer's")
	}
	any := peers.Peer{Offers: []string{"*"}}
	if !any.MayOffer("web") || any.MayCall("catalogue") {
		t.Error("* is all adapters, and no services")
	}
}

func TestNewNamesTheMistake(t *testing.T) {
	hash := []peers.Hash{peers.HashToken("x")}
	for want, declared := range map[string][]peers.Peer{
		`peer "": expected a name of lower-case letters`:                    {{Tokens: hash, Operates: true}},
		`peer "A": expected a name`:                                         {{Name: "A", Tokens: hash, Operates: true}},
		"it can't prove itself; expected certificate or tokens":             {{Name: "a", Operates: true}},
		"it may do nothing; expected offers, calls, hands-over or operates": {{Name: "a", Tokens: hash}},
		`certificate is "*.example", which no wildcard can be`:              {{Name: "a", Certificates: []string{"*.example"}, Operates: true}},
		`certificate is "a b"; expected a DNS name`:                         {{Name: "a", Certificates: []string{"a b"}, Operates: true}},
		`certificate is ""; expected a DNS name`:                            {{Name: "a", Certificates: []string{""}, Operates: true}},
		`"tv@1" is no adapter or service`:                                   {{Name: "a", Tokens: hash, Offers: []string{"tv@1"}}},
		`"Films" is no adapter or service`:                                  {{Name: "a", Tokens: hash, Calls: []string{"Films"}}},
		"two peers are called a":                                            {{Name: "a", Tokens: hash, Operates: true}, {Name: "a", Certificates: []string{"a"}, Operates: true}},
		"a and b have the same token":                                       {{Name: "a", Tokens: hash, Operates: true}, {Name: "b", Tokens: hash, Operates: true}},
		"a and b have the same certificate, c.example":                      {{Name: "a", Certificates: []string{"c.example"}, Operates: true}, {Name: "b", Certificates: []string{"c.example"}, Operates: true}},
		"peers: a and a have the same certificate, c.example":               {{Name: "a", Certificates: []string{"c.example", "c.example"}, Operates: true}},
	} {
		if _, err := peers.New(declared...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

func TestTokens(t *testing.T) {
	a, b := peers.NewToken(), peers.NewToken()
	if a == b || len(a) != len("warmline_")+43 {
		t.Errorf("%s, %s", a, b)
	}
	h, err := peers.ParseHash(peers.HashToken(a).String())
	if err != nil || h != peers.HashToken(a) {
		t.Error(err)
	}
	for _, wrong := range []string{"", a, "sha256:", "sha256:" + strings.Repeat("a", 63), "sha256:" + strings.Repeat("a", 65), "sha256:" + strings.Repeat("a", 66), "sha256:" + strings.Repeat("g", 64), strings.Repeat("a", 64), "sha1:" + strings.Repeat("a", 64)} {
		if _, err := peers.ParseHash(wrong); err == nil || strings.Contains(err.Error(), "aaaa") || strings.Contains(err.Error(), a) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
