package sample

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
)

const adaJSON = `{"id":"ada","name":"Ada","customer":"c-1001","country":"FR","language":"fr"}`

func set(t *testing.T, s *Services, name string, mode Mode) {
	t.Helper()
	if err := s.Set(name, Behaviour{Mode: mode}); err != nil {
		t.Fatal(err)
	}
}

func TestHalf(t *testing.T) {
	s := begin(t)
	url := s.URL("profiles") + "/profiles/ada"
	statuses := func(want ...int) {
		t.Helper()
		for i, status := range want {
			if r := call(t, "GET", url, ""); r.status != status || status == 200 && r.body != adaJSON {
				t.Errorf("request %d: %d %s, want %d", i+1, r.status, r.body, status)
			}
		}
	}
	set(t, s, "profiles", ModeHalf)
	statuses(200, 503, 200, 503, 200)
	set(t, s, "profiles", ModeHalf) // begins again
	statuses(200, 503)
	set(t, s, "profiles", ModeOK)
	statuses(200, 200)
}

func TestGarbage(t *testing.T) {
	s := begin(t)
	set(t, s, "members", ModeGarbage)
	for method, body := range map[string]string{"GET": "", "PUT": `{"plan":"one-stream"}`} {
		r := send(t.Context(), method, s.URL("members")+"/members/c-1001", body)
		if r.err != nil || r.status != 200 || r.header.Get("Content-Type") != "application/json" || r.body == "" || json.Valid([]byte(r.body)) {
			t.Errorf("%s: %+v", method, r)
		}
	}
	set(t, s, "members", ModeOK)
	want(t, "GET", s.URL("members")+"/members/c-1001", "", 200, `{"customer":"c-1001","plan":"four-stream","streams":4,"since":"2019-04-02"}`)
}

func TestHuge(t *testing.T) {
	s := begin(t)
	set(t, s, "catalogue", ModeHuge)
	r := call(t, "GET", s.URL("catalogue")+"/films/17", "")
	// The reply is without the line's end.
	if r.status != 200 || len(r.body) != 10<<20-1 || r.header.Get("Content-Length") != "" {
		t.Errorf("%d with %d bytes, header %v", r.status, len(r.body), r.header)
	}

	// Who has had enough hangs up, and is counted.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", s.URL("catalogue")+"/films/17", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.GivenUp("catalogue"); n != 0 {
		t.Errorf("%d given up already", n)
	}
	cancel()
	response.Body.Close()
	waitFor(t, "it is given up", func() bool { return s.GivenUp("catalogue") == 1 })
}

func TestOpen(t *testing.T) {
	s := begin(t)
	open := func(now, most int64) {
		t.Helper()
		waitFor(t, "requests are open", func() bool { n, _ := s.Open("ratings"); return n == now })
		if _, m := s.Open("ratings"); m != most {
			t.Errorf("%d were the most, want %d", m, most)
		}
	}
	open(0, 0)
	set(t, s, "ratings", ModeHang)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 3 {
		wg.Go(func() { send(ctx, "GET", s.URL("ratings")+"/ratings/paul", "") })
		open(int64(i+1), int64(i+1))
	}
	want(t, "GET", s.URL("ratings")+"/_sample", "", 200, `{"name":"ratings","requests":3,"given_up":0,"open":3,"most_open":3,"mode":"hang","latency":"0s"}`)
	cancel()
	open(0, 3)
	set(t, s, "ratings", ModeOK)
	call(t, "GET", s.URL("ratings")+"/ratings/paul", "")
	open(0, 3)
	if now, most := s.Open("nobody"); now != 0 || most != 0 {
		t.Errorf("nobody has %d, %d", now, most)
	}
}
