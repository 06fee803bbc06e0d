package contender_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/await"
)

// Who says what it does about servers that fail, does it: of three addresses one is
// nobody's, and one server stops.
func TestResilientClientsDoWithoutAServer(t *testing.T) {
	passports, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contender.All() {
		if c.Resilience == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			ctx := await.Context(t)
			addresses := []string{nobody(t)}
			var stops []func()
			for range 2 {
				tr, err := tier.New(tier.Config{Marshal: c.Marshal})
				if err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				serving, stop := context.WithCancel(ctx)
				served := make(chan error, 1)
				go func() { served <- c.Serve(serving, l, tr) }()
				stops = append(stops, func() {
					stop()
					if err := await.Value(t, "the server stops", served); err != nil {
						t.Error(err)
					}
				})
				addresses = append(addresses, l.Addr().String())
			}
			client, err := c.Dial(ctx, addresses, contender.Load{Concurrency: 4, Resilient: true})
			if err != nil {
				t.Fatal(err)
			}
			pages := func(when string) {
				t.Helper()
				for i := range 20 {
					if _, err := client.Page(ctx, passports[i]); err != nil {
						t.Fatalf("%s: %v", when, err)
					}
				}
			}
			pages("with an address that is nobody's")
			stops[0]()
			pages("with a server that has stopped")
		})
	}
}

// nobody is an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// dialResilient dials HTTP servers that answer as they are told.
func dialResilient(t *testing.T, handlers ...http.HandlerFunc) contender.Client {
	t.Helper()
	var addresses []string
	for _, h := range handlers {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		addresses = append(addresses, strings.TrimPrefix(s.URL, "http://"))
	}
	c, err := contender.Find("http1")
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.Dial(await.Context(t), addresses, contender.Load{Concurrency: 4, Resilient: true})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// well counts as it should.
func well(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n")) // a client that asks for less gets less
	fmt.Fprintf(w, `{"N":%d}`, n+1)
}

func TestHTTPAsksAnotherServerOnceMore(t *testing.T) {
	for name, ill := range map[string]http.HandlerFunc{
		"502": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"504": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) },
		"an answer that ends too early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
		},
		"no answer in time": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			client := dialResilient(t, ill, well)
			if n, err := client.Chain(await.Context(t), nil, 4); n != 4 || err != nil {
				t.Errorf("a chain of 4 comes to %d, %v", n, err)
			}
		})
	}
}

func TestHTTPTakesOtherErrorsForAnswers(t *testing.T) {
	var asked atomic.Int64
	client := dialResilient(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	})
	if _, err := client.Chain(await.Context(t), nil, 1); err == nil || !strings.Contains(err.Error(), "500 Internal Server Error") || asked.Load() != 1 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestHTTPLeavesAServerAloneThatFails(t *testing.T) {
	var asked atomic.Int64
	client := dialResilient(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}, well)
	if n, err := client.Chain(await.Context(t), nil, 100); n != 100 || err != nil { // every second goes to it first
		t.Fatalf("a chain of 100 comes to %d, %v", n, err)
	}
	before := asked.Load()
	if before < 5 || before > 20 { // and one for each second that passes
		t.Fatalf("asked %d times, want 5", before)
	}
	await.Until(t, "it gets another chance", func() bool {
		if _, err := client.Chain(await.Context(t), nil, 2); err != nil {
			t.Fatal(err)
		}
		return asked.Load() > before
	})
}
