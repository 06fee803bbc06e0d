package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What a warmline dev of whoever runs the tests has left is not theirs.
	_ = os.Setenv("XDG_RUNTIME_DIR", filepath.Join(os.TempDir(), "warmline-cli-test"))
	goleak.VerifyTestMain(m)
}

// command runs a command line in this process.
func command(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), code
}

func TestHelpNamesEveryFlagsVariable(t *testing.T) {
	for args, want := range map[string][]string{
		"help":           {"warmline dev", "gateway", "Every flag can be given as an environment variable"},
		"edge --help":    {"$WARMLINE_EDGE_LISTEN", "$WARMLINE_EDGE_PASSPORT_KEYS", "$WARMLINE_EDGE_PEERS", "$WARMLINE_EDGE_TLS_CERT", "$WARMLINE_EDGE_TOKEN_FILE", "$WARMLINE_LOG_LEVEL"},
		"gateway --help": {"$WARMLINE_GATEWAY_HTTP", "$WARMLINE_GATEWAY_ADMIN", "$WARMLINE_GATEWAY_BUDGET", "$WARMLINE_GATEWAY_PEERS", "$WARMLINE_GATEWAY_TLS_KEY"},
		"node --help":    {"$WARMLINE_NODE_EDGE", "$WARMLINE_NODE_WANT", "$WARMLINE_NODE_TLS_CA", "$WARMLINE_NODE_TOKEN_FILE"},
		"sample --help":  {"$WARMLINE_SAMPLE_BASE_PORT", "_sample"},
		"call --help":    {"warmline call edge.stats", "$WARMLINE_CALL_TIMEOUT"},
		"dev --help":     {"curl", "$WARMLINE_DEV_GATEWAY_ADMIN", "$WARMLINE_DEV_LATENCY"},

		"devices --help":          {"lookup", "check", "$WARMLINE_DEVICES_TABLE"},
		"devices lookup --help":   {"WLTV-", "$WARMLINE_DEVICES_LOOKUP_TABLE"},
		"cache --help":            {"invalidate"},
		"peer token --help":       {"peers.yaml", "To rotate"},
		"cache invalidate --help": {"warmline cache invalidate catalogue --all", "$WARMLINE_CACHE_INVALIDATE_ADMIN", "$WARMLINE_LOG_LEVEL"},
	} {
		out, errs, code := command(t, "", strings.Fields(args)...)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s does not say %q:\n%s", args, w, out)
			}
		}
		if code != exitOK || errs != "" {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
}

func TestVariablesStandInForFlags(t *testing.T) {
	t.Setenv("WARMLINE_CALL_EDGE", "not an address")
	if _, errs, code := command(t, "", "call", "edge.stats"); code != exitFailed || !strings.Contains(errs, `address "not an address"`) {
		t.Errorf("exit %d, %s", code, errs)
	}
	if _, errs, _ := command(t, "", "call", "edge.stats", "--edge", "given"); !strings.Contains(errs, `address "given"`) {
		t.Errorf("a flag goes before its variable: %s", errs)
	}
	t.Setenv("WARMLINE_CALL_TIMEOUT", "soon")
	if _, errs, code := command(t, "", "call", "edge.stats"); code != exitUsage || !strings.Contains(errs, "$WARMLINE_CALL_TIMEOUT") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

// What an edge can't be started with is told at once, and not when it is warm.
func TestAnEdgesMistakes(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	out, _, _ := command(t, "", "key")
	if err := os.WriteFile(keys, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{
		"--listen=nonsense":               "tcp://HOST:PORT",
		"--peer=nonsense":                 "tcp://HOST:PORT",
		"--bus=nonsense":                  "nats://host:4222",
		"--hot-keys=no/such/dir/hot.keys": "no directory no/such/dir",
		"--config=no/such/edge.yaml":      "no/such/edge.yaml",
		"--source=nobody=http://x":        `no source "nobody"`,
		"--warm-up=soon":                  "--warm-up",
	} {
		_, errs, code := command(t, "", "edge", "--admin=off", "--passport-keys", keys, flag)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s, want %q in it", flag, code, errs, want)
		}
	}
}

func TestKey(t *testing.T) {
	out, _, code := command(t, "", "key", "2026")
	if code != exitOK || !regexp.MustCompile(`^2026:[A-Za-z0-9+/]{43}=\n$`).MatchString(out) {
		t.Errorf("exit %d, %q", code, out)
	}
	again, _, _ := command(t, "", "key", "2026")
	if again == out {
		t.Error("the same key twice")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("# old and new\n"+out), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKeys(path); err != nil {
		t.Error(err)
	}
	if _, errs, code := command(t, "", "key", "no spaces"); code != exitUsage || !strings.Contains(errs, "expected 1 to 64 letters") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestBadKeyFileDoesNotShowWhatIsInIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("k:c2VjcmV0LXNlY3JldA=="), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code := command(t, "", "edge", "--passport-keys", path)
	if code != exitFailed || !strings.Contains(errs, "at least 32") || strings.Contains(errs, "c2VjcmV0") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestVersion(t *testing.T) {
	if out, _, code := command(t, "", "version"); code != exitOK || out != "warmline "+version+", protocol 1.0.0\n" {
		t.Errorf("exit %d, %q", code, out)
	}
}

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{"text": " WRN hello tier=x\n", "json": `"tier":"x"`, "auto": `"tier":"x"`} {
		var errs bytes.Buffer
		s := &settings{stderr: &errs, logLevel: "info", logFormat: format}
		log, err := s.newLog()
		if err != nil {
			t.Fatal(err)
		}
		log.Debug().Msg("quiet")
		log.Warn().Str("tier", "x").Msg("hello")
		if got := errs.String(); !strings.Contains(got, want) || strings.Contains(got, "quiet") {
			t.Errorf("%s: %q", format, got)
		}
	}
}

func TestDeviceRequestIsASentenceForPeople(t *testing.T) {
	var out bytes.Buffer
	line := `{"level":"info","tier":"gateway","method":"GET","path":"/tv@^1/home","status":200,"took":13.07,"adapter":"tv@1.3.0",` +
		`"conversations":[{"calls":2,"references":3,"view_hits":1,"moves":1},{"calls":1}],"calls":[{"call":"profiles.current","took":5.49},{"call":"ratings.forVideos","took":400.6,"code":"deadline_exceeded"}],"message":"device request"}`
	if _, err := console(&out).Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	want := ` INF GET /tv@^1/home 200 in 13.1 ms adapter=tv@1.3.0 calls="profiles.current 5.5, ratings.forVideos 400.6 deadline_exceeded!" conversations="2 calls, 3 references, 1 view hits, 1 moves; 1 calls"` + "\n"
	if got := out.String(); !strings.HasSuffix(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// dev in this process, so that goleak sees what it leaves behind.
func TestDevLeavesNothingBehind(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &lines{found: make(chan struct{}), want: "Ctrl-C ends it."}
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, []string{"dev", "--http", "127.0.0.1:0", "--lines", "tcp://127.0.0.1:0", "--edge", "tcp://127.0.0.1:0", "--admin", "127.0.0.1:0", "--gateway-admin", "127.0.0.1:0", "--log-level", "off"}, strings.NewReader(""), out, os.Stderr)
	}()
	select {
	case <-out.found:
	case <-time.After(30 * time.Second):
		t.Fatal("dev did not come up")
	}
	cancel()
	if code := <-ended; code != exitOK {
		t.Errorf("exit %d", code)
	}
	if left, err := filepath.Glob(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "warmline", "dev", "*")); err != nil || left != nil {
		t.Error(left, err)
	}
}

// lines is standard output that announces when something was printed.
type lines struct {
	bytes.Buffer
	want  string
	found chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	n, err := l.Buffer.Write(b)
	if strings.Contains(string(b), l.want) {
		close(l.found)
	}
	return n, err
}
