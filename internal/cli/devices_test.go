package cli

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const builtIn = "../../passport/device/devices.tsv"

func TestDevicesListsWhatIsBuiltIn(t *testing.T) {
	out, errs, code := command(t, "", "devices")
	if code != exitOK || errs != "" || !regexp.MustCompile(`^version \d+, made 20\d\d-\S+Z: 2\d{3} device types, 2\d{3} ESN prefixes, \d+ User-Agent rules; a snapshot of \d+ bytes\nother +\d+\ntv +\d{3,}\n`).MatchString(out) {
		t.Errorf("exit %d, %s, %q", code, errs, out)
	}
	for _, args := range [][]string{{"devices", "check", builtIn}, {"devices", "--table", builtIn}} {
		if same, errs, code := command(t, "", args...); code != exitOK || same != out {
			t.Errorf("%v: exit %d, %s, %q, want %q", args, code, errs, same, out)
		}
	}
}

func TestDevicesLookup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "devices.tsv")
	if err := os.WriteFile(file, []byte("version\t1\nmade\t2026-11-21\nesn\tWLTV-\ttv\tmine\tAcme\tAcme TV\t-\t-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"WLTV-SAM-2021-Q80-7F3A09C41B2E"}, "category  tv\nid        samsung-tv-2021-q80\nbrand     Samsung\nname      Samsung TV Q80 (2021)\n"},
		{[]string{"Mozilla/5.0 (PlayStation; PlayStation 5/2.26)"}, "category  console\nid        sony-ps5\nbrand     Sony\nname      PlayStation 5\n"},
		{[]string{"curl/8.5.0"}, "category  other\nid        other\nbrand     -\nname      unknown device\n"},
		{[]string{"WLTV-SAM-2021-Q80-7F3A09C41B2E", "--table", file}, "category  tv\nid        mine\nbrand     Acme\nname      Acme TV\n"},
	} {
		if out, errs, code := command(t, "", append([]string{"devices", "lookup"}, c.args...)...); code != exitOK || out != c.want {
			t.Errorf("%v: exit %d, %s, %q", c.args, code, errs, out)
		}
	}
}

func TestDevicesCheckTellsEveryMistake(t *testing.T) {
	dir := t.TempDir()
	big := "version\t1\nmade\t2026-11-21\n"
	for n := range 4000 {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n), byte(n >> 8)})) // can't be made small
		big += "esn\t" + id[:30] + "\ttv\t" + id[30:60] + "\t-\tTV\t-\t-\n"
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"mistakes": {"version\t0\nesn\tA-\tTV\ta\t-\tA\t-\t-\n", []string{"mistakes:1: version", "mistakes:2: category \"TV\": expected one of", "mistakes: not said when it was made"}},
		"long":     {strings.Repeat("#\n", 1<<20), []string{"long: more than 1048576 bytes"}},
		"big":      {big, []string{"big can't be published", "expected at most 65536"}},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, errs, code := command(t, "", "devices", "check", filepath.Join(dir, name))
		if code != exitFailed {
			t.Errorf("%s: exit %d", name, code)
		}
		for _, w := range c.want {
			if !strings.Contains(errs, w) {
				t.Errorf("%s: %s, want %q in it", name, errs, w)
			}
		}
	}
	for args, want := range map[string]int{"devices check": exitUsage, "devices check a b": exitUsage, "devices lookup": exitUsage, "devices nonsense": exitUsage, "devices check no/such/file": exitFailed, "devices --table " + dir: exitFailed} {
		if _, errs, code := command(t, "", strings.Fields(args)...); code != want {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
}

func TestDevicesPublishRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, _, _ := command(t, "", "key")
	keys := " --device-keys " + write("keys", key)
	bad := write("bad", "version\t2\nmade\t2026-11-21\nesn\tA-\tTV\ta\t-\tA\t-\t-\nesn\tB-\tTV\tb\t-\tB\t-\t-\n")
	two := write("two", "version\t2\nmade\t2026-11-21\nesn\tA-\ttv\ta\t-\tA\t-\t-\n")
	const nats = " --bus nats://127.0.0.1:1"
	for args, c := range map[string]struct {
		code int
		want string
	}{
		"":                                    {exitUsage, "1 arg"},
		two + keys:                            {exitUsage, "expected --bus"},
		two + nats:                            {exitUsage, "warmline key > devices.keys"},
		two + keys + " --bus http://x":        {exitUsage, "expected \"embedded\""},
		two + nats + " --device-keys no/such": {exitFailed, "no/such"},
		bad + nats + keys:                     {exitFailed, "bad:4: category"},
		two + nats + keys + " --from " + bad:  {exitFailed, "bad:3: category"},
		two + nats + keys + " --from " + two:  {exitFailed, "it is version 2, and --from is 2"},
		builtIn + nats + keys:                 {exitFailed, "it is version 1, and built in is 1"},
	} {
		if _, errs, code := command(t, "", append([]string{"devices", "publish"}, strings.Fields(args)...)...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %s, want %d, %q in it", args, code, errs, c.code, c.want)
		}
	}
}
