package proctest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"warmline.dev/internal/await"
)

// NATS starts a nats-server, Debian's, which is older than the one that is embedded,
// at a port of 127.0.0.1; "-1" is a free one. It returns host:port. Where there is no
// such command the test is skipped, and fails under CI: that an external bus goes
// unproven may happen to a visitor, and not to the project.
func NATS(t *testing.T, port string, args ...string) (*Process, string) {
	t.Helper()
	path, err := exec.LookPath("nats-server")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nats-server") // not on everybody's path
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI needs nats-server: %v", err)
	}
	if err != nil {
		t.Skip("nats-server is not installed; with it, this test runs an external bus")
	}
	p := Start(t, exec.CommandContext(t.Context(), path, append([]string{"-a", "127.0.0.1", "-p", port}, args...)...))
	listening := regexp.MustCompile(`Listening for client connections on (\S+)\n`)
	var address string
	await.Until(t, "nats-server listens", func() bool {
		m := listening.FindStringSubmatch(p.Errors.String())
		if m != nil {
			address = m[1]
		}
		return m != nil
	})
	return p, address
}
