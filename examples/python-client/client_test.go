// Package pythonclient runs warmline_client.py, which was written from
// docs/protocol.md alone, against an edge.
package pythonclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/proctest"
	"warmline.dev/internal/sample"
	"warmline.dev/internal/sample/declared"
	"warmline.dev/internal/serving"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// python is the interpreter. Where there is none the document goes unproven:
// that may happen to a visitor, and not to the project.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI needs python3: %v", err)
	}
	if err != nil {
		t.Skip("python3 is not installed; with it, this test runs examples/python-client")
	}
	return path
}

// startEdge runs the samples and an edge in front of them.
func startEdge(t *testing.T) (*edgelayer.Server, string) {
	t.Helper()
	samples, err := sample.Start(sample.Config{Latency: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := samples.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	services, err := declared.New(samples, "10s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	edge, err := edgelayer.New(edgelayer.Config{Version: "0.1.0", Services: services.Services()})
	if err != nil {
		t.Fatal(err)
	}
	return edge, serving.Start(t, edge.Serve, edge.Close)
}

// At an edge that asks who dials: a token, over TLS.
func TestAToken(t *testing.T) {
	who, err := peers.New(peers.Peer{Name: "python", Tokens: []peers.Hash{peers.HashToken("warmline_python")}, Operates: true})
	if err != nil {
		t.Fatal(err)
	}
	edge, err := edgelayer.New(edgelayer.Config{Version: "0.1.0", Peers: who})
	if err != nil {
		t.Fatal(err)
	}
	l, err := rsocket.ListenTLS(t.Context(), "tls://127.0.0.1:0", certs.Server())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- edge.Serve(l) }()
	t.Cleanup(func() {
		_ = edge.Close()
		<-served
	})
	folder := t.TempDir()
	for name, text := range map[string]string{"ca.pem": string(certs.Known().PEM()), "token": "warmline_python\n", "wrong": "warmline_x\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, ca := "tls://"+l.Addr().String(), filepath.Join(folder, "ca.pem")
	if got := run(t, "--edge", at, "--ca", ca, "--token-file", filepath.Join(folder, "token")).answers(t); len(got) != 1 || got[0]["lines"] != 1.0 {
		t.Errorf("%v", got)
	}
	run(t, "--edge", at, "--ca", ca, "--token-file", filepath.Join(folder, "wrong")).wantFailure(t, 1, "refused the line (REJECTED_SETUP): the token is no peer's")
	run(t, "--edge", at, "--ca", ca).wantFailure(t, 1, "the line is not authenticated")
	run(t, "--edge", at).wantFailure(t, 1, "certificate verify failed")
}

// outcome is what a run of the program printed, and its exit code.
type outcome struct {
	stdout, stderr string
	code           int
}

func run(t *testing.T, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), append([]string{"-B", "warmline_client.py", "--timeout", "30"}, args...)...)
	stdout, stderr, code := proctest.Run(t, cmd)
	return outcome{stdout, stderr, code}
}

// answers decodes the JSON values on standard output of a run that worked.
func (o outcome) answers(t *testing.T) []map[string]any {
	t.Helper()
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	var list []map[string]any
	for dec := json.NewDecoder(strings.NewReader(o.stdout)); ; {
		var v map[string]any
		switch err := dec.Decode(&v); {
		case errors.Is(err, io.EOF):
			return list
		case err != nil:
			t.Fatalf("%v in\n%s", err, o.stdout)
		}
		list = append(list, v)
	}
}

// wantFailure wants exit code 1, no answer, and a last line on standard error
// with all of parts in it.
func (o outcome) wantFailure(t *testing.T, lines int, parts ...string) {
	t.Helper()
	told := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	if o.code != 1 || o.stdout != "" || len(told) != lines {
		t.Fatalf("exit code %d, expected 1 and %d lines\n%s%s", o.code, lines, o.stdout, o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(told[lines-1], part) {
			t.Errorf("%q does not say %q", told[lines-1], part)
		}
	}
}

// videos is one field of each video of an answer.
func videos(t *testing.T, answer map[string]any, field string) []any {
	t.Helper()
	var list []any
	for _, v := range answer["videos"].([]any) {
		list = append(list, v.(map[string]any)[field])
	}
	return list
}

func TestASingleCall(t *testing.T) {
	_, edge := startEdge(t)
	o := run(t, "--edge", edge, "--want", "catalogue=^2", "catalogue.videos", `{"ids":[17,2]}`)
	got := o.answers(t)
	if len(got) != 1 || !reflect.DeepEqual(videos(t, got[0], "title"), []any{"Metropolis", "Nosferatu"}) {
		t.Errorf("%v", got)
	}
	if o.stderr != "edge 0.1.0, protocol 1.0.0: catalogue 2.1.3, edge 1.0.0\n" {
		t.Errorf("what resolved: %q", o.stderr)
	}
}

func TestNoWantsIsEverythingAndNoMethodIsStats(t *testing.T) {
	_, edge := startEdge(t)
	o := run(t, "--edge", edge)
	if got := o.answers(t); len(got) != 1 || got[0]["lines"] != 1.0 {
		t.Errorf("%v", got)
	}
	if !strings.Contains(o.stderr, "catalogue 2.1.3, edge 1.0.0, members 1.2.0, profiles 1.0.0") {
		t.Errorf("what resolved: %q", o.stderr)
	}
}

func TestAConversation(t *testing.T) {
	srv, edge := startEdge(t)
	got := run(t, "--edge", edge, "--want", "catalogue=^1", "--conversation", "17", "999", "2").answers(t)
	if len(got) != 2 {
		t.Fatalf("%d answers, expected 2", len(got))
	}
	if ids := videos(t, got[0], "id"); !reflect.DeepEqual(ids, []any{17.0, 2.0}) {
		t.Errorf("the first call found %v", ids)
	}
	if ids := videos(t, got[1], "id"); !reflect.DeepEqual(ids, []any{2.0, 17.0}) {
		t.Errorf("the second call found %v, expected what the first one found, in the other order", ids)
	}
	if s := srv.Stats(); s.Calls != 2 || s.Failures != 0 || s.Conversations != 0 {
		t.Errorf("the edge counts %d calls, %d failures, %d open conversations", s.Calls, s.Failures, s.Conversations)
	}
}

func TestAWantThatIsRefused(t *testing.T) {
	_, edge := startEdge(t)
	run(t, "--edge", edge, "--want", "catalogue=^9").wantFailure(t, 1,
		"warmline_client: the edge refused the line (REJECTED_SETUP)", "wants catalogue ^9, offered: 2.1.3, 1.4.2")
	run(t, "--edge", edge, "--want", "weather=^1").wantFailure(t, 1, "wants weather ^1, nothing of that name is offered")
}

func TestCallsThatFail(t *testing.T) {
	_, edge := startEdge(t)
	run(t, "--edge", edge, "weather.today").wantFailure(t, 2, `unknown_method: "weather.today": this line has accounts, catalogue, edge`)
	run(t, "--edge", edge, "catalogue.films").wantFailure(t, 2, `unknown_method: "catalogue.films": catalogue 2.1.3 has videos`)
	run(t, "--edge", edge, "catalogue.videos", `{"id":1}`).wantFailure(t, 2, "invalid_argument", `{"ids":[integer]}`)
	run(t, "--edge", edge, "profiles.current").wantFailure(t, 2, "unauthenticated")
	run(t, "--edge", edge, "--want", "edge=^1", "--conversation", "1").wantFailure(t, 2, "unknown_method")
}

func TestNoEdge(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, "--edge", "tcp://"+address).wantFailure(t, 1, "no edge at "+address)
}

// script is an edge that says what it is told to, frame by frame.
type script struct {
	t  *testing.T
	nc net.Conn
}

func (s *script) write(frames ...[]byte) {
	for _, f := range frames {
		if _, err := s.nc.Write(append([]byte{byte(len(f) >> 16), byte(len(f) >> 8), byte(len(f))}, f...)); err != nil {
			s.t.Error(err)
		}
	}
}

// want reads one frame, which must be of that type.
func (s *script) want(typ frame.Type) frame.Frame {
	var prefix [3]byte
	_, err := io.ReadFull(s.nc, prefix[:])
	b := make([]byte, int(prefix[0])<<16|int(prefix[1])<<8|int(prefix[2]))
	if err == nil {
		_, err = io.ReadFull(s.nc, b)
	}
	f, wrong := frame.Parse(b)
	if err = errors.Join(err, wrong); err != nil || f.Type != typ {
		s.t.Errorf("%s %q (%v), expected %s", f.Type, f.Data, err, typ)
	}
	return f
}

func TestCreditAndKeepAlive(t *testing.T) {
	python(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		s := &script{t, nc}
		item := func(id uint32, data string) []byte {
			return frame.AppendPayload(nil, id, frame.FlagNext, nil, []byte(data))
		}
		s.want(frame.TypeSetup)
		welcome := `{"name":"edge","version":"0.1.0","protocol":"1.4.0","resolved":{},"new":true}`
		s.write(frame.AppendPayload(nil, s.want(frame.TypeRequestResponse).StreamID, frame.FlagNext|frame.FlagComplete, nil, []byte(welcome)))

		first := s.want(frame.TypeRequestChannel)
		for range 15 {
			s.write(item(first.StreamID, `[99,"newer"] [6,"AQID"]`))
		}
		s.write(item(first.StreamID, `[5,1,0][3,1,{"videos":[{"id":7}]}]`))
		if n := s.want(frame.TypeRequestN).N; n != 16 {
			t.Errorf("16 payloads were taken, credit for %d was granted", n)
		}
		// It has the reply, and no credit to ask on: what comes next is the answer to this.
		s.write(frame.AppendKeepAlive(nil, true, 0, []byte("there?")))
		if k := s.want(frame.TypeKeepAlive); string(k.Data) != "there?" || k.Has(frame.FlagRespond) {
			t.Errorf("keepalive answered with flags %#x and %q", k.Flags, k.Data)
		}
		s.write(frame.AppendRequestN(nil, first.StreamID, 1))
		if m := s.want(frame.TypePayload); string(m.Data) != `[1, 2, "catalogue.videos", {"ids": [7]}]` {
			t.Errorf("the second call is %s", m.Data)
		}
		s.write(frame.AppendPayload(nil, first.StreamID, frame.FlagNext|frame.FlagComplete, nil, []byte(`[3,2,{"videos":[]}]`)))
		if m := s.want(frame.TypePayload); !m.Has(frame.FlagComplete) {
			t.Errorf("flags %#x, expected Complete", m.Flags)
		}
		s.want(frame.TypeError)
	}()
	if got := run(t, "--edge", "tcp://"+l.Addr().String(), "--conversation", "7").answers(t); len(got) != 2 {
		t.Errorf("%v", got)
	}
	<-done
}
