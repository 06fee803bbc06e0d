package cli

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/certs"
	"warmline.dev/protocol/peers"
)

func TestPeerToken(t *testing.T) {
	out, errs, code := command(t, "", "peer", "token", "batch")
	token, whole := strings.CutSuffix(out, "\n")
	if code != exitOK || !whole || !regexp.MustCompile(`^warmline_[A-Za-z0-9_-]{43}$`).MatchString(token) {
		t.Fatalf("exit %d, %q", code, out)
	}
	if strings.Contains(errs, token) {
		t.Errorf("the token is in %s", errs)
	}
	_, line, _ := strings.Cut(errs, "\n")
	p, err := peers.Parse("peers.yaml", []byte("peers:\n"+line))
	if err != nil {
		t.Fatal(err)
	}
	if peer, refusal := p.IdentifyRequest(token, nil); refusal != nil || peer.Name != "batch" {
		t.Error(peer, refusal)
	}
	if _, errs, code := command(t, "", "peer", "token", "No Name"); code != exitUsage || !strings.Contains(errs, "expected a name of lower-case letters") {
		t.Errorf("exit %d, %s", code, errs)
	}
	if _, _, code := command(t, "", "peer", "token"); code != exitUsage {
		t.Errorf("exit %d", code)
	}
}

// The example in the help of the command is one that can be used.
func TestTheHelpOfPeerTokenIsRight(t *testing.T) {
	out, _, _ := command(t, "", "peer", "token", "--help")
	_, text, _ := strings.Cut(out, "# peers.yaml\n")
	text, _, _ = strings.Cut(text, "\n\n")
	for n := range strings.Count(text, "sha256:…") {
		text = strings.Replace(text, "sha256:…", peers.HashToken(string(rune('a'+n))).String(), 1)
	}
	p, err := peers.Parse("peers.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := strings.Join(p.Names(), " "); got != "batch tv-nodes edges staff" {
		t.Error(got)
	}
}

func TestWhatOthersReachNeedsPeers(t *testing.T) {
	dir := t.TempDir()
	keys, _, _ := command(t, "", "key")
	keyFile := write(t, filepath.Join(dir, "keys"), keys)
	cert, key, err := certs.Write(dir, "own", certs.Known().Issue(certs.Request{Lasts: time.Hour}))
	if err != nil {
		t.Fatal(err)
	}
	certified := write(t, filepath.Join(dir, "peers.yaml"), "peers: {nodes: {certificate: nodes.example, offers: [tv], calls: [\"*\"]}}")
	mistakes := write(t, filepath.Join(dir, "mistakes.yaml"), "peers: {nodes: {certificate: nodes.example}, Batch: {}}")
	for _, tier := range []string{"edge", "gateway"} {
		for args, want := range map[string]string{
			"--listen=tcp://0.0.0.0:0":      "other machines could dial it, and nobody would be asked who they are: give --peers FILE, which says who may (see warmline peer token --help), or listen on 127.0.0.1",
			"--listen=ws://[::]:0/":         "give --peers FILE",
			"--listen=tcp://edge.example:0": "give --peers FILE",
			"--listen=tls://0.0.0.0:0 --tls-cert=" + cert + " --tls-key=" + key: "give --peers FILE",
			"--listen=tls://127.0.0.1:0":                                        "there is no certificate to show: give --tls-cert and --tls-key",
			"--listen=tls://0.0.0.0:0 --peers=" + certified:                     "there is no certificate to show: give --tls-cert and --tls-key",
			"--tls-cert=" + cert:                                                "--tls-cert and --tls-key: expected both, or none",
			"--listen=tls://127.0.0.1:0 --tls-cert=" + cert + " --tls-key=" + key + " --peers=" + certified: "has peers with certificates: give --tls-ca too",
			"--peers=" + mistakes: "2 mistakes in the peers, nothing is started:\n  " + mistakes + ":1:9: peer nodes: it may do nothing",
		} {
			_, errs, code := command(t, "", append([]string{tier, "--passport-keys", keyFile}, strings.Fields(args)...)...)
			if code != exitUsage || !strings.Contains(errs, want) {
				t.Errorf("%s %s: exit %d, %s\nwant %s", tier, args, code, errs, want)
			}
		}
	}
	if _, errs, code := command(t, "", "edge", "--passport-keys", keyFile, "--admin", "https://127.0.0.1:0"); code != exitUsage || !strings.Contains(errs, "--admin https://…: there is no certificate") {
		t.Errorf("exit %d, %s", code, errs)
	}
	for _, args := range []string{"edge --peers no-such.yaml", "gateway --tls-ca no-such.pem", "node --token-file no-such.token", "call edge.stats --token-file no-such.token", "cache invalidate a b --tls-ca no-such.pem"} {
		fields := strings.Fields(args)
		if fields[0] == "edge" || fields[0] == "gateway" {
			fields = append(fields, "--passport-keys", keyFile)
		}
		if _, errs, code := command(t, "", fields...); code != exitFailed || !strings.Contains(errs, "no-such") {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
}
