package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/gateway"
)

func TestTheHighestVersionInTheRangeAnswers(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@1.0.0", "tv@2.0.0", "tv@1.4.0", "tv@3.0.0-rc.1", "phone@9.0.0")
	for path, body := range map[string]string{
		"/tv/home":                    "tv@2.0.0 /home",
		"/tv@/home":                   "tv@2.0.0 /home",
		"/tv@^1/home":                 "tv@1.4.0 /home",
		"/tv@1/home":                  "tv@1.4.0 /home",
		"/tv@1.0.0/home":              "tv@1.0.0 /home",
		"/tv@*/home":                  "tv@2.0.0 /home",
		"/tv@%3E%3D1.0/home":          "tv@2.0.0 /home",
		"/tv@%3E%3D1.0,%20%3C2/home":  "tv@1.4.0 /home",
		"/tv@3.0.0-rc.1/home":         "tv@3.0.0-rc.1 /home",
		"/tv@%3E%3D3.0.0-0/home":      "tv@3.0.0-rc.1 /home",
		"/phone/home":                 "phone@9.0.0 /home",
		"/tv":                         "tv@2.0.0 /",
		"/tv/":                        "tv@2.0.0 /",
		"/tv@^1":                      "tv@1.4.0 /",
		"/tv/a/b/":                    "tv@2.0.0 /a/b/",
		"/tv//a//b":                   "tv@2.0.0 /a/b",
		"/tv/a/../../../etc/./passwd": "tv@2.0.0 /etc/passwd",
		"/tv/a@b/c%20d":               "tv@2.0.0 /a@b/c d",
	} {
		got := g.want(path, 200, body)
		if adapter, _, _ := strings.Cut(body, " "); got.header.Get("Warmline-Adapter") != adapter {
			t.Errorf("%s: Warmline-Adapter is %q", path, got.header.Get("Warmline-Adapter"))
		}
	}
}

// What a person types, and no library has encoded.
func TestARangeMayStandInThePathAsItIs(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@1.4.0", "tv@2.0.0")
	nc, err := net.Dial("tcp", g.front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprint(nc, "GET /tv@^1/home HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 || response.Header.Get("Warmline-Adapter") != "tv@1.4.0" {
		t.Errorf("got %s from %s", response.Status, response.Header.Get("Warmline-Adapter"))
	}
}

func TestAPreReleaseAnswersWithoutARangeIfThereIsNothingElse(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@3.0.0-rc.1", "tv@3.0.0-rc.2")
	g.want("/tv/home", 200, "tv@3.0.0-rc.2 /home")
	g.want("/tv@^3/home", 404, `{"error":{"adapters":{"tv":["3.0.0-rc.2","3.0.0-rc.1"]},"code":"unsatisfied",…`)
}

func TestA404ListsWhatIsThere(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@1.4.0", "tv@2.0.0", "phone@9.0.0")
	const there = `{"error":{"adapters":{"phone":["9.0.0"],"tv":["2.0.0","1.4.0"]},`
	g.want("/radio/home", 404, there+`"code":"not_found","message":"no adapter \"radio\" is connected"}}`)
	g.want("/radio@^1/home", 404, there+`"code":"not_found","message":"no adapter \"radio\" is connected"}}`)
	g.want("/TV/home", 404, there+`"code":"not_found","message":"no adapter \"TV\" is connected"}}`)
	g.want("//tv/home", 404, there+`"code":"not_found","message":"no adapter \"\" is connected"}}`)
	got := g.want("/tv@^3/home", 404, there+`"code":"unsatisfied","message":"no version of \"tv\" is in ^3"}}`)
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type is %q", ct)
	}
}

func TestA404OfTheAdaptersIsTheAdapters(t *testing.T) {
	g := start(t, gateway.Config{})
	g.offer("tv@2.0.0", http.NotFoundHandler())
	if got := g.want("/tv/home", 404, "404 page not found"); got.header.Get("Warmline-Adapter") != "tv@2.0.0" {
		t.Errorf("the headers are %v", got.header)
	}
}

func TestABadRangeIsShown(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@2.0.0")
	g.want("/tv@newest/home", 400, `{"error":{"code":"invalid_argument","message":"\"newest\" is not a version range: …expected something like ^1.2, ~2.0.1 or >=1.0, <3"}}`)
	g.want("/tv@"+strings.Repeat("%5E1%20", 100)+"/home", 400, `…300 characters, at most 256 are read…`)
}

func TestTheIndexListsTheAdapters(t *testing.T) {
	g := start(t, gateway.Config{})
	g.want("/", 200, `{"adapters":{}}`)
	g.telling("tv@1.4.0", "tv@2.0.0", "tv@2.0.0", "tv@3.0.0-rc.1", "phone@9.0.0")
	got := g.want("/", 200, `{"adapters":{"phone":["9.0.0"],"tv":["3.0.0-rc.1","2.0.0","1.4.0"]}}`)
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the headers are %v", got.header)
	}
	if list := g.Adapters(); len(list) != 2 || len(list["tv"]) != 3 || list["phone"][0] != "9.0.0" {
		t.Errorf("Adapters: %v", list)
	}
}

func TestAnAdapterThatGoesAwayIsNotRoutedToAnyMore(t *testing.T) {
	g := start(t, gateway.Config{}).telling("tv@1.4.0")
	two := g.offer("tv@2.0.0", http.NotFoundHandler())
	three := g.offer("tv@3.0.0", http.NotFoundHandler())
	radio := g.offer("radio@1.0.0", http.NotFoundHandler())
	if err := three.Shutdown(await.Context(t)); err != nil {
		t.Error(err)
	}
	g.settles("/tv/home", 404, "tv@2.0.0")
	_ = two.Shutdown(ended()) // at once: nothing is under way, so it may have been in time all the same
	g.settles("/tv/home", 200, "tv@1.4.0")
	if err := radio.Shutdown(await.Context(t)); err != nil {
		t.Error(err)
	}
	await.Until(t, "the index to follow", func() bool { return g.get("/").body == `{"adapters":{"tv":["1.4.0"]}}` })
	g.want("/radio/home", 404, `{"error":{"adapters":{"tv":["1.4.0"]},"code":"not_found",…`)
}

// settles polls until the adapter answers.
func (g *site) settles(path string, status int, adapter string) {
	g.t.Helper()
	await.Until(g.t, adapter+" to answer", func() bool {
		got := g.get(path)
		return got.status == status && got.header.Get("Warmline-Adapter") == adapter
	})
}

func TestTheLeastBusyLineAnswers(t *testing.T) {
	g, waiting := start(t, gateway.Config{}), newGate()
	g.offer("tv@2.0.0", waiting.named("a"))
	g.offer("tv@2.0.0", waiting.named("b"))
	g.offer("tv@2.0.0", waiting.named("c"))
	counts := map[string]int{}
	var answers []<-chan answer
	for range 9 { // one after the other, and none is answered
		answers = append(answers, g.later("/tv/home"))
		counts[await.Value(t, "a request", waiting.entered)]++
	}
	if counts["a"] != 3 || counts["b"] != 3 || counts["c"] != 3 {
		t.Errorf("the lines got %v of 9 requests", counts)
	}
	close(waiting.door)
	for _, a := range answers {
		await.Value(t, "an answer", a).want(t, "/tv/home", 200, "done")
	}
}

func TestALineThatIsClosingFinishesAndGetsNothingNew(t *testing.T) {
	g, waiting := start(t, gateway.Config{}), newGate()
	closing := g.offer("tv@2.0.0", waiting)
	last := g.later("/tv/home")
	await.Value(t, "the request", waiting.entered)
	down := make(chan error, 1)
	go func() { down <- closing.Shutdown(await.Context(t)) }()
	await.Until(t, "the gateway to be told", func() bool { return g.Adapters()["tv"] == nil })
	g.telling("tv@1.4.0")
	g.settles("/tv/home", 200, "tv@1.4.0") // the lower version, for the higher one is closing
	select {
	case err := <-down:
		t.Errorf("Shutdown returned %v with a request under way", err)
	default:
	}
	close(waiting.door)
	await.Value(t, "the answer", last).want(t, "the request under way", 200, "done")
	if err := await.Value(t, "Shutdown", down); err != nil {
		t.Error(err)
	}
}
