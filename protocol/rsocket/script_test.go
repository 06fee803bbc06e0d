package rsocket

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// scenario is one rule of a file in testdata/conformance: what is said, and what
// has to be said in return. The files tell how they are read.
type scenario struct {
	section, rule string
	config        Config
	steps         []step
}

type step struct {
	line int
	kind byte // '>' a frame to write, '<' one to read, '~' one that may come, '!' what the application does, '=' what it gets
	text string
}

// readScenarios reads a file of testdata/conformance.
func readScenarios(t *testing.T, name string) []scenario {
	t.Helper()
	b, err := os.ReadFile("testdata/conformance/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all []scenario
	section := ""
	for i, line := range strings.Split(string(b), "\n") {
		head, rest, _ := strings.Cut(line, " ")
		switch head {
		case "##":
			section = rest
		case "###":
			all = append(all, scenario{section: section, rule: rest})
		case "with":
			all[len(all)-1].config = readConfig(t, rest)
		case ">", "<", "~", "!", "=":
			s := &all[len(all)-1]
			s.steps = append(s.steps, step{i + 1, head[0], rest})
		}
	}
	return all
}

// readConfig reads settings such as "Window=4 LeaseRequests=2".
func readConfig(t *testing.T, s string) Config {
	t.Helper()
	var c Config
	for _, setting := range strings.Fields(s) {
		name, value, _ := strings.Cut(setting, "=")
		n, err := strconv.Atoi(value)
		field := map[string]*int{
			"Window": &c.Window, "MaxFrame": &c.MaxFrame, "MaxPayload": &c.MaxPayload, "MaxStreams": &c.MaxStreams,
			"Fragment": &c.Fragment, "LeaseRequests": &c.LeaseRequests, "MaxReassembly": &c.MaxReassembly,
		}[name]
		switch {
		case err == nil && name == "ResumeSeconds":
			c.ResumeFor = time.Duration(n) * time.Second
		case err == nil && field != nil:
			*field = n
		default:
			t.Fatalf("setting %q: expected NAME=NUMBER", setting)
		}
	}
	return c
}

var letters = []struct {
	letter byte
	flag   frame.Flags
}{{'I', frame.FlagIgnore}, {'F', frame.FlagFollows}, {'C', frame.FlagComplete}, {'N', frame.FlagNext}}

// bytesOf is the frame that words describe: TYPE STREAM [FLAGS] [KEY=NUMBER…]
// [[METADATA]] [DATA]; or "raw" and bytes in hexadecimal. PAYLOAD has flags, the
// other types have them behind a colon.
func bytesOf(t testing.TB, words string) []byte {
	t.Helper()
	if digits, ok := strings.CutPrefix(words, "raw"); ok {
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", words, err)
		}
		return b
	}
	fields := strings.SplitN(words, " ", 3)
	id, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		t.Fatalf("%q: the second word is no stream: %v", words, err)
	}
	rest := ""
	if len(fields) > 2 {
		rest = fields[2]
	}
	var flags frame.Flags
	if word, more, _ := strings.Cut(rest, " "); strings.HasPrefix(word, ":") || fields[0] == "PAYLOAD" {
		for _, l := range letters {
			if strings.IndexByte(word, l.letter) >= 0 {
				flags |= l.flag
			}
		}
		rest = more
	}
	numbers := map[string]uint64{"n": 1, "ttl": 60_000}
	for {
		word, more, _ := strings.Cut(rest, " ")
		key, value, ok := strings.Cut(word, "=")
		n, err := strconv.ParseUint(value, 0, 64)
		if !ok || err != nil {
			break
		}
		numbers[key] = n
		rest = more
	}
	var metadata []byte
	if strings.HasPrefix(rest, "[") {
		m, more, _ := strings.Cut(rest[1:], "]")
		metadata, rest = []byte(m), strings.TrimPrefix(more, " ")
	}
	return appendWords(t, fields[0], uint32(id), flags, numbers, metadata, rest)
}

func appendWords(t testing.TB, kind string, id uint32, flags frame.Flags, numbers map[string]uint64, metadata []byte, data string) []byte {
	t.Helper()
	n := uint32(numbers["n"])
	switch kind {
	case "SETUP":
		s := frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour, MetadataMIME: "a/b", DataMIME: "c/d"}
		if strings.HasPrefix(data, "token=") {
			s.Token = []byte(data[len("token="):])
			data = ""
		}
		if data == "lease" {
			flags |= frame.FlagLease
		}
		return frame.AppendSetup(nil, s, flags, metadata, nil)
	case "RESUME":
		return frame.AppendResume(nil, frame.Resume{Token: []byte(data), ServerPosition: numbers["received"], ClientPosition: numbers["first"]})
	case "RESUME_OK":
		return frame.AppendResumeOK(nil, numbers["at"])
	case "REQUEST_RESPONSE":
		return frame.AppendRequest(nil, id, frame.TypeRequestResponse, flags, metadata, []byte(data))
	case "REQUEST_FNF":
		return frame.AppendRequest(nil, id, frame.TypeRequestFNF, flags, metadata, []byte(data))
	case "REQUEST_STREAM":
		return frame.AppendRequestMany(nil, id, frame.TypeRequestStream, flags, n, metadata, []byte(data))
	case "REQUEST_CHANNEL":
		return frame.AppendRequestMany(nil, id, frame.TypeRequestChannel, flags, n, metadata, []byte(data))
	case "PAYLOAD":
		return frame.AppendPayload(nil, id, flags, metadata, []byte(data))
	case "REQUEST_N":
		return frame.AppendRequestN(nil, id, n)
	case "CANCEL":
		return frame.AppendCancel(nil, id)
	case "ERROR":
		return frame.AppendError(nil, id, frame.ErrorCode(numbers["code"]), data)
	case "LEASE":
		return frame.AppendLease(nil, uint32(numbers["ttl"]), n)
	case "KEEPALIVE":
		return frame.AppendKeepAlive(nil, flags&frame.FlagNext != 0, numbers["at"], []byte(data))
	case "METADATA_PUSH":
		return frame.AppendMetadataPush(nil, metadata)
	}
	t.Fatalf("%q is no type of frame", kind)
	return nil
}

// play writes and reads as the steps say. Frames that may come are passed over.
func (p *peer) play(steps []step, act func(step)) {
	p.t.Helper()
	var may []string
	for _, s := range steps {
		if s.kind == '~' {
			may = append(may, s.text)
		}
	}
	for _, s := range steps {
		switch s.kind {
		case '>':
			p.write(bytesOf(p.t, s.text))
		case '<':
			got := p.read()
			for got != s.text && slices.Contains(may, got) {
				got = p.read()
			}
			if prefix, ok := strings.CutSuffix(s.text, "…"); got != s.text && !(ok && strings.HasPrefix(got, prefix)) {
				p.t.Fatalf("line %d: frame\n got %s\nwant %s", s.line, got, s.text)
			}
		case '!', '=':
			act(s)
		}
	}
}

func (s step) String() string { return fmt.Sprintf("line %d: %c %s", s.line, s.kind, s.text) }
