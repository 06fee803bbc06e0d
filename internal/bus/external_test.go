package bus_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/proctest"
)

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

func TestAnExternalServerDiesAndComesBack(t *testing.T) {
	p, address := proctest.NATS(t, "-1")
	one, other := open(t, "nats://"+address), open(t, "nats://"+address)
	a, b := hear(t, one, "a"), hear(t, other, "a")
	publish(t, one, "a", "1")
	a.want("a 1")
	b.want("a 1")

	p.Signal(syscall.SIGKILL)
	await.Value(t, "nats-server ends", p.Ended)
	for _, bus := range []*bus.Bus{one, other} {
		awaitConnected(t, bus, false)
		wantCutOff(t, bus)
	}
	a.wantNothing()

	proctest.NATS(t, portOf(address))
	a.wantGap()
	b.wantGap()
	publish(t, other, "a", "2")
	a.want("a 2")
	b.want("a 2")
	a.wantNothing()
	b.wantNothing()
}

func TestAnExternalServerIsFrozen(t *testing.T) {
	p, address := proctest.NATS(t, "-1")
	b := open(t, "nats://"+address)
	e := hear(t, b, "a")
	p.Signal(syscall.SIGSTOP)
	ctx := await.Context(t)
	var err error
	for err == nil { // it freezes some time after the signal
		err = b.Publish(ctx, "b", nil)
	}
	if ctx.Err() != nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("Publish to a frozen server: %v (%v)", err, ctx.Err())
	}
	awaitConnected(t, b, false)
	wantCutOff(t, b)
	// The machine takes connections in the frozen server's place; they are none.
	await.Until(t, "it is tried again", func() bool { return strings.Contains(b.Status().Reason, "i/o timeout") })
	if b.Status().Connected {
		t.Error("it is connected to a frozen server")
	}
	p.Signal(syscall.SIGCONT)
	e.wantGap()
	publish(t, b, "a", "2")
	e.want("a 2")
	e.wantNothing()
}

func TestAnExternalServerWithPasswordAndPermissions(t *testing.T) {
	config := filepath.Join(t.TempDir(), "nats.conf")
	err := os.WriteFile(config, []byte(`
		max_payload: 1000
		authorization { users = [
			{user: "all", password: "p@ss/word"}
			{user: "few", password: "hunter2", permissions: { publish: ["a"], subscribe: ["a"] }}
		] }`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, address := proctest.NATS(t, "-1", "-c", config)
	all := open(t, "nats://all:p%40ss%2Fword@"+address)
	few, log := openLogged(t, "nats://few:hunter2@"+address)
	stranger := open(t, "nats://"+address)

	allA, allB := hear(t, all, "a"), hear(t, all, "b")
	fewA, fewB := hear(t, few, "a"), subscribe(t, few, "b")
	publish(t, few, "a", "1")
	if err := few.Publish(t.Context(), "b", []byte("2")); err == nil || !strings.Contains(err.Error(), `Permissions Violation for Publish to "b"`) {
		t.Errorf("Publish without permission: %v", err)
	}
	if err := all.Publish(t.Context(), "a", make([]byte, 1001)); err == nil || !strings.Contains(err.Error(), "1001 bytes are more than this server takes (1000)") {
		t.Errorf("Publish of more than this server takes: %v", err)
	}
	publish(t, all, "b", "3")
	publish(t, few, "a", "4")
	fewA.want("a 1", "a 4")
	allA.want("a 1", "a 4")
	allB.want("b 3")
	fewB.wantNothing()
	await.Until(t, "the refusal is logged", func() bool { return strings.Contains(log.String(), "Permissions Violation for Subscription") })
	await.Until(t, "a stranger is refused", func() bool { return strings.Contains(stranger.Status().Reason, "Authorization Violation") })
	wantCutOff(t, stranger)
	if s := few.Status(); s.Connections != 1 || s.URL != "nats://"+address {
		t.Errorf("%+v", s)
	}
}
