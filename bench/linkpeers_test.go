package bench

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"warmline.dev/bench/link"
	"warmline.dev/internal/await"
)

// startPeer runs a hidden subcommand in this process, and returns what it prints.
// stop ends its input.
func startPeer(t *testing.T, args ...string) (out *bufio.Reader, stop func()) {
	t.Helper()
	stdin, in := io.Pipe()
	stdout, to := io.Pipe()
	var errs strings.Builder
	code := make(chan int, 1)
	go func() { code <- Run(await.Context(t), args, stdin, to, &errs) }()
	return bufio.NewReader(stdout), func() {
		t.Helper()
		_ = in.Close()
		if got := await.Value(t, args[0]+" ends", code); got != 0 {
			t.Errorf("exit %d, %s", got, errs.String())
		}
	}
}

func line(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	s, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(s, "\n")
}

func TestLinkAndEchoAreStartedByTheirCommandLines(t *testing.T) {
	echo, stopEcho := startPeer(t, link.EchoCommand)
	at := line(t, echo)
	proxy, stopLink := startPeer(t, link.ServerCommand, "--"+link.ToFlag, at+","+at, "--"+link.OneWayFlag, "10ms")
	for range 2 {
		conn, err := net.Dial("tcp", line(t, proxy))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
			t.Errorf("%q, %v", b, err)
		}
		if took := time.Since(began); took < 20*time.Millisecond {
			t.Errorf("it took %v there and back", took)
		}
	}
	stopLink()
	stopEcho()
}
