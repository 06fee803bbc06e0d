package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

// kinds is a gateway whose log says what kind of device asks.
type kinds struct {
	t   *testing.T
	at  string
	run *proctest.Process
}

func startKinds(t *testing.T, bus string, args ...string) *kinds {
	t.Helper()
	g := start(t, append([]string{"gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--bus", bus}, args...)...)
	return &kinds{t: t, at: g.Expect(`^gateway at (\S+), lines at`)[0], run: g}
}

// of asks as a device and returns the category that the log then has.
func (k *kinds) of(esn string) string {
	k.t.Helper()
	seen := len(k.run.Errors.String())
	r, err := http.NewRequestWithContext(await.Context(k.t), http.MethodGet, k.at+"/tv/home", nil)
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("ESN", esn)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	answer.Body.Close()
	var category string
	await.Until(k.t, "the line of the log", func() bool {
		lines := bufio.NewScanner(strings.NewReader(k.run.Errors.String()[seen:]))
		for lines.Scan() {
			var line struct{ Path, Device string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Path != "" {
				category = line.Device
			}
		}
		return category != ""
	})
	return category
}

func (k *kinds) becomes(esn, category string) {
	k.t.Helper()
	await.Until(k.t, "the log to say "+category, func() bool { return k.of(esn) == category })
}

func (k *kinds) says(text string) {
	k.t.Helper()
	await.Until(k.t, "the log to say "+text, func() bool { return strings.Contains(k.run.Errors.String(), text) })
}

// A gateway knows devices from the start. A version that is published on the bus is in
// the next line of its log; what somebody else has signed is not; and a version that is
// pinned stays, or comes back.
func TestDeviceDataOverTheBus(t *testing.T) {
	_, address := proctest.NATS(t, "-1")
	bus, keys, signers := "nats://"+address, keyFile(t), keyFile(t)
	const esn = "WLTV-SAM-2021-Q80-7F3A09C41B2E"
	file := func(version, category string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "devices.tsv")
		if err := os.WriteFile(path, []byte("version\t"+version+"\nmade\t"+time.Now().UTC().Format(time.DateOnly)+"\nesn\tWLTV-SAM-\t"+category+"\tit\tSamsung\tIt\t-\t-\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	two, three, four := file("2", "console"), file("3", "stick"), file("4", "phone")

	g := startKinds(t, bus, "--passport-keys", keys, "--device-keys", signers)
	if got := g.of(esn); got != "tv" {
		t.Errorf("what is built in says %s", got)
	}
	pinned := startKinds(t, bus, "--passport-keys", keys, "--device-keys", signers, "--device-version", "2")
	pinned.says("the pinned version is not here")
	if got := pinned.of(esn); got != "tv" {
		t.Errorf("what is built in says %s", got)
	}

	if out, errs, code := run(t, "devices", "publish", two, "--bus", bus, "--device-keys", signers, "--once"); code != 0 || !strings.HasPrefix(out, "version 2 is published: ") {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	g.becomes(esn, "console")
	pinned.becomes(esn, "console")

	if _, errs, code := run(t, "devices", "publish", four, "--from", three, "--bus", bus, "--device-keys", keys, "--once"); code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	g.says("device data refused")
	if got := g.of(esn); got != "console" {
		t.Errorf("after a forged version: %s", got)
	}

	publisher := start(t, "devices", "publish", three, "--from", two, "--bus", bus, "--device-keys", signers)
	publisher.Expect("^version 3 is published")
	publisher.Expect("^who comes later")
	g.becomes(esn, "stick")
	if got := pinned.of(esn); got != "console" {
		t.Errorf("pinned: %s", got)
	}
	startKinds(t, bus, "--passport-keys", keys, "--device-keys", signers).becomes(esn, "stick")
	startKinds(t, bus, "--passport-keys", keys, "--device-keys", signers, "--device-version", "2").becomes(esn, "console")
	back := startKinds(t, bus, "--passport-keys", keys, "--device-keys", signers, "--device-version", "1")
	if _, errs, code := run(t, "devices", "publish", two, "--bus", bus, "--device-keys", signers, "--once"); code != 1 || !strings.Contains(errs, "3 is published already") {
		t.Errorf("an older version: exit %d, %s", code, errs)
	}
	if _, errs, code := run(t, "devices", "publish", four, "--from", three, "--bus", bus, "--device-keys", signers, "--once"); code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	g.becomes(esn, "phone")
	for k, want := range map[*kinds]string{back: "tv", pinned: "console"} {
		if got := k.of(esn); got != want {
			t.Errorf("pinned: %s, want %s", got, want)
		}
	}
	await.Until(t, "the publisher to say that there is a later version", func() bool {
		return strings.Contains(publisher.Errors.String(), "and 4 is published already")
	})
	publisher.Interrupt()
	publisher.Exit(0)
}
