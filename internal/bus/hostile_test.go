package bus_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/proctest"
)

// serve is a server of the test's own: each connection is greeted, and then gets
// what is said; after that it is held open, and its pings are answered.
func serve(t testing.TB, greeting, said string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		await.Value(t, "the test's server ends", done)
	})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			answer(nc, greeting, said)
			nc.Close()
		}
	}()
	return "nats://" + l.Addr().String()
}

const greeting = `INFO {"server_id":"x","max_payload":1000000,"headers":true}` + " \r\n"

func answer(nc net.Conn, greeting, said string) {
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprint(nc, greeting); err != nil {
		return
	}
	told := false
	for lines := bufio.NewScanner(nc); lines.Scan(); {
		switch word, _, _ := strings.Cut(lines.Text(), " "); word {
		case "PING":
			fmt.Fprint(nc, "PONG\r\n")
		case "SUB":
			if !told {
				fmt.Fprint(nc, said)
			}
			told = true
		}
	}
}

// What a server says is followed to the byte, and what is not NATS ends the
// connection and nothing else. Nearly each of these ended the process before.
func TestAHostileServer(t *testing.T) {
	const huge, negative = "9223372036854775807", "99999999999999"
	for said, part := range map[string]string{
		"MSG a 1 " + huge + "\r\nx":                    "at most 8388608 bytes",
		"MSG a 1 " + negative + "\r\nx":                "at most 8388608 bytes",
		"MSG a 1 8388609\r\nx":                         "at most 8388608 bytes",
		"MSG a 1 99999999999999999999\r\nx":            "NATS protocol",
		"HMSG a 1 12 " + huge + "\r\nx":                "at most 8388608 bytes",
		"HMSG a 1 12 11\r\nx":                          "NATS protocol",
		"MSG a 1 -1\r\nx":                              "NATS protocol",
		"MSG a 1\r\nx":                                 "NATS protocol",
		"MSG a 1 2 3 4\r\nx":                           "NATS protocol",
		"MSG  a 1 2\r\nx":                              "NATS protocol",
		"msg a 1 2\r\nx":                               "NATS protocol",
		"MSG \na 1 " + huge + "\r\nx":                  "NATS protocol", // one line to the client
		"-ERR \nMSG a 1 20\r\n":                        "NATS protocol", // one line to the client
		"MSG a 1 1\r\nxx\r\nMSG a 1 9\r\n":             "the end of a message",
		"MSG a 1 1\r\nx\rPING\r\n":                     "the end of a message",
		"PING\n":                                       "NATS protocol",
		"+OK\r\nSUB a 1\r\n":                           "NATS protocol",
		"\r\n":                                         "NATS protocol",
		"INFO " + strings.Repeat("x", 33<<10) + "\r\n": "at most 32768 bytes",
		"-ERR '" + strings.Repeat("x", 33<<10):         "at most 32768 bytes",
	} {
		b := open(t, serve(t, greeting, said))
		subscribe(t, b, "a")
		await.Until(t, fmt.Sprintf("%q ends the connection for %q", begin(said), part), func() bool {
			return strings.Contains(b.Status().Reason, part)
		})
		b.Close()
	}
}

func begin(text string) string { return text[:min(len(text), 50)] }

func TestAHostileGreeting(t *testing.T) {
	for greeting, part := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n":              "NATS protocol",
		"PING\r\n":                                      "expected a NATS server's INFO",
		"INFO nonsense\r\n":                             "expected a NATS server's INFO",
		"INFO {" + strings.Repeat(" ", 33<<10):          "at most 32768 bytes",
		"INFO {}":                                       "i/o timeout",
		"INFO {\"tls_required\":true}\r\nPONG\r\n":      "expected TLS behind",
		"INFO {\"tls_required\":true}\r\n":              "i/o timeout",
		"INFO {}\r\n-ERR 'Something else'\r\n":          "Something else",
		"INFO {}\r\n-ERR 'Authorization Violation'\r\n": "Authorization Violation",
	} {
		b := open(t, serve(t, greeting, ""))
		await.Until(t, fmt.Sprintf("%q is answered with %q", begin(greeting), part), func() bool {
			return strings.Contains(b.Status().Reason, part)
		})
		b.Close()
	}
}

// What others say on the same server is none of a server's fault.
func TestWhatOthersMaySay(t *testing.T) {
	_, address := proctest.NATS(t, "-1")
	b := open(t, "nats://"+address)
	e := hear(t, b, "a")
	nc, err := nats.Connect("nats://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	say := func(m *nats.Msg) {
		t.Helper()
		if err := nc.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	say(&nats.Msg{Subject: "a", Reply: "b", Data: []byte("1")})
	say(&nats.Msg{Subject: "a", Reply: "b", Data: []byte("2\r\nMSG a 1 99\r\n"), Header: nats.Header{"K": []string{"v"}}})
	say(&nats.Msg{Subject: "a"})
	e.want("a 1", "a 2\r\nMSG a 1 99\r\n", "a ")
	e.wantNothing()
	say(&nats.Msg{Subject: "a", Data: make([]byte, bus.MaxMessage+1)})
	e.wantGap()
	say(&nats.Msg{Subject: "a", Data: []byte("3")})
	e.want("a 3")
	e.wantNothing()
	if s := b.Status(); s.Connections != 1 || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
}

// FuzzServer lets a server say anything to who has subscribed.
func FuzzServer(f *testing.F) {
	for _, said := range []string{
		"MSG a 1 1\r\nx\r\n", "HMSG a 1 12 13\r\nNATS/1.0\r\n\r\nx\r\n", "PING\r\n+OK\r\n-ERR 'Slow Consumer'\r\n",
		"INFO {}\r\n", "MSG a 1 b 9223372036854775807\r\nx", "-ERR \nMSG a 1 20\r\n", "MSG a 1 1\r\nxMSG a 1 99999999999\r\n",
	} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		b := open(t, serve(t, greeting, said))
		s, err := b.Subscribe("a", func(_ string, data []byte) {
			if len(data) > bus.MaxMessage {
				t.Errorf("a message of %d bytes", len(data))
			}
		}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		await.Until(t, "the subscription is in force, or the connection ended", func() bool {
			st := b.Status()
			return st.Gaps > 0 || st.Connections > 0 && !st.Connected
		})
		s.Close()
		b.Close()
	})
}
