package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

// rotating is a system whose edge and gateway have one key file, which changes while
// devices ask.
type rotating struct {
	t             *testing.T
	file          string
	edge, gateway *proctest.Process
	edgeAt, web   string
}

func startRotating(t *testing.T, keys ...string) *rotating {
	t.Helper()
	r := &rotating{t: t, file: filepath.Join(t.TempDir(), "warmline.keys")}
	r.write(keys...)
	sample := start(t, "sample", "--base-port", strconv.Itoa(freePorts(t, len(sampleNames))))
	args := []string{"edge", "--listen", "tcp://127.0.0.1:0", "--passport-keys", r.file, "--log-format", "json"}
	var accounts string
	for _, name := range sampleNames {
		url := sample.Expect(`^` + name + ` at (\S+)$`)[0]
		args = append(args, "--source", name+"="+url)
		if name == "accounts" {
			accounts = url
		}
	}
	r.edge = start(t, args...)
	r.edgeAt = r.edge.Expect(`^edge at (\S+)$`)[0]
	// Every request is answered with a new cookie.
	r.gateway = start(t, "gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", r.file, "--log-format", "json",
		"--budget", "5s", "--accounts", accounts, "--insecure-cookies", "--cookie-trust", "-1s")
	at := r.gateway.Expect(`^gateway at (\S+), lines at (\S+)$`)
	r.web = at[0]
	start(t, "node", "--edge", r.edgeAt, "--gateway", at[1]).Expect(`^adapter tv@2.0.0 is offered`)
	return r
}

// write puts another file in the place of the one that there is.
func (r *rotating) write(keys ...string) {
	r.t.Helper()
	if err := os.WriteFile(r.file+".new", []byte(strings.Join(keys, "")), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.file+".new", r.file); err != nil {
		r.t.Fatal(err)
	}
}

// step writes the file and waits until edge and gateway say what they do with it.
func (r *rotating) step(says string, keys ...string) {
	r.t.Helper()
	count := func(p *proctest.Process) (n int) {
		for line := range strings.Lines(p.Errors.String()) {
			if strings.Contains(line, `"what":"passport keys"`) && strings.Contains(line, `"message":"`+says) {
				n++
			}
		}
		return n
	}
	before := map[*proctest.Process]int{r.edge: count(r.edge), r.gateway: count(r.gateway)}
	r.write(keys...)
	r.gateway.Signal(syscall.SIGHUP) // the edge finds out by itself
	for p, n := range before {
		await.Until(r.t, p.Args[1]+" says: "+says, func() bool { return count(p) > n })
	}
}

// visitor is a device that is signed in, and asks.
type visitor struct {
	cookie atomic.Pointer[string]
	asked  atomic.Int64
}

// keyOf is the name of the key that sealed a cookie, as package cookie has it in front.
func keyOf(t *testing.T, value string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(raw) < 2 || len(raw) < 2+int(raw[1]) {
		t.Fatalf("not a cookie (%v)", err)
	}
	return string(raw[2 : 2+int(raw[1])])
}

// ask makes a request with a cookie and returns that of the answer, the same if it has
// none.
func (r *rotating) ask(method, path, body, value string) (status int, text, next string, err error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.web+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	if value != "" {
		req.AddCookie(&http.Cookie{Name: "warmline", Value: value})
	}
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	next = value
	for _, c := range answer.Cookies() {
		next = c.Value
	}
	return answer.StatusCode, string(b), next, err
}

func (r *rotating) signIn() *visitor {
	r.t.Helper()
	status, text, value, err := r.ask(http.MethodPost, "/tv/sign-in", `{"email":"paul@example.com","password":"popcorn"}`, "")
	if err != nil || status != http.StatusOK || value == "" {
		r.t.Fatalf("%d %s (%v)", status, text, err)
	}
	v := &visitor{}
	v.cookie.Store(&value)
	return v
}

// visits asks again and again until the end, and reports what was not answered as it
// should be.
func (r *rotating) visits(v *visitor, every time.Duration, end <-chan struct{}, failed func(string)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		path, want := "/tv/me", `"customer":"c-1001"`
		if i%4 == 3 {
			path, want = "/tv/home", `"plan":"four-stream"`
		}
		status, text, next, err := r.ask(http.MethodGet, path, "", *v.cookie.Load())
		if err != nil || status != http.StatusOK || !strings.Contains(text, want) {
			failed(fmt.Sprintf("%s: %d %.200s (%v)", path, status, text, err))
		}
		if next != "" { // one that is cleared would make it a visitor whom nobody knows
			v.cookie.Store(&next)
		}
		v.asked.Add(1)
	}
}

// Passport keys rotate under load, as warmline key --help says, without a restart: not
// one request of a device that is signed in is refused, and in the end nothing that the
// old key has sealed counts any more.
func TestKeyRotationUnderLoadRefusesNobody(t *testing.T) {
	key := func(name string) string {
		t.Helper()
		text, _, code := run(t, "key", name)
		if code != 0 {
			t.Fatal("warmline key failed")
		}
		return text
	}
	older, newer := key("older"), key("newer")
	r := startRotating(t, older)
	call := func(keys string) (int, string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "call.keys")
		if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
			t.Fatal(err)
		}
		_, errs, code := run(t, "call", "recommendations.forProfile", "--edge", r.edgeAt, "--profile", "paul", "--passport-keys", file)
		return code, errs
	}
	gone := r.signIn() // does not come back until all is over
	var visitors []*visitor
	for range 10 {
		visitors = append(visitors, r.signIn())
	}
	if name := keyOf(t, *gone.cookie.Load()); name != "older" {
		t.Fatalf("sealed with %q", name)
	}
	if code, errs := call(older); code != 0 {
		t.Fatalf("a call with a passport of the old key: %d %s", code, errs)
	}

	var mu sync.Mutex
	var failures []string
	end := make(chan struct{})
	var asking sync.WaitGroup
	for _, v := range visitors {
		asking.Go(func() {
			r.visits(v, 200*time.Millisecond, end, func(why string) {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, why)
			})
		})
	}
	stop := sync.OnceFunc(func() { close(end); asking.Wait() })
	defer stop()
	// rounds waits until every visitor was answered some more.
	rounds := func(n int64) {
		t.Helper()
		var until []int64
		for _, v := range visitors {
			until = append(until, v.asked.Load()+n)
		}
		for i, v := range visitors {
			await.Until(t, "the devices to go on", func() bool { return v.asked.Load() >= until[i] })
		}
	}
	rounds(3)
	r.step("not read again", older, newer[:len(newer)-8]+"\n") // a mistake changes nothing
	rounds(2)
	r.step("read again", older, newer)
	rounds(2)
	if code, errs := call(newer); code != 0 {
		t.Errorf("a call with a passport of the new key, which is known: %d %s", code, errs)
	}
	r.step("read again", newer, older)
	for _, v := range visitors {
		await.Until(t, "a cookie to be renewed with the new key", func() bool { return keyOf(t, *v.cookie.Load()) == "newer" })
	}
	rounds(2) // what was on its way with a passport of the old key has arrived
	r.step("read again", newer)
	rounds(4)
	stop()

	total := int64(0)
	for _, v := range visitors {
		total += v.asked.Load()
	}
	t.Logf("%d device requests, %d failed", total, len(failures))
	if len(failures) > 0 {
		t.Errorf("%d of %d device requests failed: %q", len(failures), total, failures[:min(len(failures), 5)])
	}
	if status, text, next, err := r.ask(http.MethodGet, "/tv/me", "", *gone.cookie.Load()); err != nil || status != http.StatusUnauthorized || next != "" {
		t.Errorf("a cookie of the retired key: %d %s (%v)", status, text, err)
	}
	if code, errs := call(older); code == 0 || !strings.Contains(errs, "forged") {
		t.Errorf("a passport of the retired key: %d %s", code, errs)
	}
	if code, errs := call(newer); code != 0 {
		t.Errorf("a passport of the new key: %d %s", code, errs)
	}
	for _, p := range []*proctest.Process{r.edge, r.gateway} {
		for _, k := range []string{older, newer} {
			if _, secret, _ := strings.Cut(k, ":"); strings.Contains(p.Errors.String(), secret[:12]) {
				t.Errorf("a key is in the log of warmline %s", p.Args[1])
			}
		}
	}
}
