package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func TestTheLogHasOneLineForEachRequest(t *testing.T) {
	g := start(t, gateway.Config{})
	edge := startMembers(t, g.keys)
	g.offer("tv@2.0.0", adapter.JSON(func(r *http.Request) (any, error) {
		conv := edge.Converse(r.Context())
		defer conv.Close()
		if _, err := nodelayer.Call[string](r.Context(), conv, "members.look", nil); err != nil {
			return nil, err
		}
		return nodelayer.Call[string](r.Context(), conv, "members.nothing", nil)
	}))
	g.get("/") // is no device request
	g.want("/tv@^2/home?q=1", 404, "…")
	g.want("/tv@^3/home", 404, "…")
	g.want("/tv@oops/"+strings.Repeat("long", 100), 400, "…")

	lines := g.requests(3)
	for i, line := range lines {
		if _, ok := line["took"].(float64); !ok || len(line["trace"].(string)) != 32 {
			t.Errorf("line %d: %v", i, line)
		}
		for _, call := range line["calls"].([]any) {
			if _, ok := call.(map[string]any)["took"].(float64); !ok {
				t.Errorf("a call without its time: %v", call)
			}
			delete(call.(map[string]any), "took")
		}
		delete(line, "took")
		delete(line, "trace")
		delete(line, "message")
	}
	for i, want := range []string{
		"map[adapter:tv@2.0.0 calls:[map[call:members.look] map[call:members.nothing code:unknown_method]] conversations:[map[calls:2]] device:other device_type:other level:info method:GET path:/tv@^2/home status:404]",
		`map[calls:[] code:unsatisfied device:other device_type:other level:info method:GET path:/tv@^3/home reason:no version of "tv" is in ^3 status:404]`,
		"map[calls:[] code:invalid_argument device:other device_type:other level:info method:GET path:/tv@oops/" + strings.Repeat("long", 100)[:191] + "… reason:… status:400]",
	} {
		got := fmt.Sprint(lines[i])
		if i == 2 { // the reason is a library's
			got = got[:strings.Index(got, "reason:")] + "reason:…" + got[strings.LastIndex(got, " status:"):]
		}
		if got != want {
			t.Errorf("line %d\n got %s\nwant %s", i, got, want)
		}
	}
}

func TestFaultsAreWarnings(t *testing.T) {
	g := start(t, gateway.Config{})
	g.offer("tv@2.0.0", adapter.JSON(func(*http.Request) (any, error) { return nil, errors.New("broken") }))
	g.want("/tv/home", 500, "…")
	if line := g.requests(1)[0]; line["level"] != "warn" || line["status"] != 500.0 {
		t.Errorf("the log says %v", line)
	}
}

// Whatever the outcome, nothing that a device or a service keeps to itself may be
// in the log.
func TestTheLogKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	g := start(t, gateway.Config{
		MaxBody: 100,
		Mint: func(_ http.ResponseWriter, r *http.Request) (passport.Passport, error) {
			if r.Header.Get("X-Refuse") != "" {
				return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "sign in")
			}
			return passport.Passport{Customer: "customer-" + secret, Profile: "profile-" + secret}, nil
		},
		OnPassport: func(w http.ResponseWriter, _ *http.Request, h passport.History) {
			http.SetCookie(w, &http.Cookie{Name: "p", Value: h.Now.Profile})
		},
	})
	edge, forged := startMembers(t, g.keys), newKeys(t)
	var passports [][]byte
	mux := http.NewServeMux()
	mux.Handle("/home", adapter.JSON(func(r *http.Request) (any, error) {
		conv := edge.Converse(r.Context())
		defer conv.Close()
		passports = append(passports, passport.FromContext(r.Context()).Sealed())
		_, err := nodelayer.Call[string](r.Context(), conv, "members.choose", map[string]string{"profile": "new-" + secret})
		passports = append(passports, passport.FromContext(r.Context()).Sealed())
		return "answer-" + secret, err
	}))
	mux.Handle("/fail", adapter.JSON(func(*http.Request) (any, error) { return nil, errors.New("body-" + secret) }))
	g.offer("tv@2.0.0", mux)
	g.handsBack("forger@1.0.0", func(sealed []byte) []byte {
		p, err := passport.Peek(sealed)
		if err != nil {
			t.Error(err)
		}
		if sealed, err = forged.Seal(p); err != nil {
			t.Error(err)
		}
		return sealed
	})
	requests := []string{"/tv/home", "/tv/fail", "/forger/forge", "/tv/nothing", "/tv@^9/home", "/radio/home", "/tv@oops/home", "/tv/home LARGE", "/tv/home REFUSE"}
	statuses := []int{200, 500, 500, 404, 404, 404, 400, 413, 401}
	for i, path := range requests {
		path, special, _ := strings.Cut(path, " ")
		body := "body-" + secret
		if special == "LARGE" {
			body += strings.Repeat("x", 100)
		}
		r := g.request(await.Context(t), "POST", path+"?q="+secret, strings.NewReader(body))
		r.Header.Set("Cookie", "session="+secret)
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("User-Agent", "agent-"+secret)
		if special == "REFUSE" {
			r.Header.Set("X-Refuse", "1")
		}
		if got := g.must(r); got.status != statuses[i] {
			t.Errorf("%s: %d %s, want %d", requests[i], got.status, got.body, statuses[i])
		}
	}
	g.requests(len(requests))
	log := g.log.String()
	if strings.Contains(log, secret) {
		t.Errorf("the log tells the secret:\n%s", log)
	}
	if len(passports) != 2 || string(passports[0]) == string(passports[1]) {
		t.Fatalf("%d passports", len(passports))
	}
	for _, p := range passports {
		if signature := string(p[len(p)-8:]); strings.Contains(log, signature) || strings.Contains(log, fmt.Sprintf("%x", signature)) {
			t.Errorf("the log tells a passport:\n%s", log)
		}
	}
}

// What an adapter tells of its calls is its own: a line of the log stays short.
func TestTheLogIsNotAnAdaptersToFill(t *testing.T) {
	g := start(t, gateway.Config{})
	long := strings.Repeat("x", 1000)
	calls := strings.TrimSuffix(strings.Repeat(`{"method":"`+long+`","us":1,"code":"`+long+`"},`, 500), ",")
	conversations := strings.TrimSuffix(strings.Repeat(`{"calls":1},`, 500), ",")
	g.byHand(protocol.JSON, `{"offers":{"tv":"2.0.0"}}`, rsocket.Handler{
		Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			return rsocket.Payload{Data: []byte(`{"status":200,"calls":[` + calls + `],"conversations":[` + conversations + `]}`)}, nil
		},
	})
	await.Until(t, "the adapter to be here", func() bool { return len(g.Adapters()["tv"]) > 0 })
	g.want("/tv/home", 200, "")
	line := g.requests(1)[0]
	if n := len(fmt.Sprint(line)); n > 64<<10 || len(line["calls"].([]any)) != 100 || line["calls_left_out"] != 400.0 || len(line["conversations"].([]any)) != 100 || line["conversations_left_out"] != 400.0 {
		t.Errorf("a line of %d bytes: %.1000v", n, line)
	}
}
