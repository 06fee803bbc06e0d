package sample

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const metropolisJSON = `{"id":17,"title":"Metropolis","year":1927,"director":"Fritz Lang","minutes":153,"country":"Germany","genre":"science fiction"}`

func TestProfiles(t *testing.T) {
	url := begin(t).URL("profiles")
	want(t, "GET", url+"/profiles/paul", "", 200, `{"id":"paul","name":"Paul","customer":"c-1001","country":"FR","language":"fr"}`)
	want(t, "GET", url+"/profiles/ada", "", 200, `{"id":"ada","name":"Ada","customer":"c-1001","country":"FR","language":"fr"}`)
}

func TestMembers(t *testing.T) {
	url := begin(t).URL("members") + "/members/c-1001"
	want(t, "GET", url, "", 200, `{"customer":"c-1001","plan":"four-stream","streams":4,"since":"2019-04-02"}`)
	for streams, plan := range map[int]string{1: "one-stream", 2: "two-stream", 4: "four-stream"} {
		after := fmt.Sprintf(`{"customer":"c-1001","plan":%q,"streams":%d,"since":"2019-04-02"}`, plan, streams)
		want(t, "PUT", url, fmt.Sprintf(`{"plan":%q}`, plan), 200, after)
		want(t, "GET", url, "", 200, after)
	}
}

func TestRecommendations(t *testing.T) {
	url := begin(t).URL("recommendations") + "/recommendations/"
	get := func(rest string) recommendationList {
		t.Helper()
		r := call(t, "GET", url+rest, "")
		var list recommendationList
		if err := json.Unmarshal([]byte(r.body), &list); err != nil || r.status != 200 {
			t.Fatalf("%s: %d %s", rest, r.status, r.body)
		}
		return list
	}
	for _, test := range []struct {
		rest  string
		count int
	}{{"paul", 20}, {"paul?limit=1", 1}, {"paul?limit=100", 100}, {"nobody", 20}, {"nobody?limit=100", 100}} {
		if list := get(test.rest); len(list.Items) != test.count {
			t.Errorf("%s: %d items, want %d", test.rest, len(list.Items), test.count)
		}
	}
	first := recommendation{17, 0.97, "because you like science fiction"}
	if got := get("paul"); got.Profile != "paul" || got.Items[0] != first {
		t.Errorf("first for paul is %+v", got.Items[0])
	}
	tops := make(map[string]string)
	for _, p := range seedProfiles() {
		list := get(p.ID + "?limit=100")
		if !slices.IsSortedFunc(list.Items, func(a, b recommendation) int { return int(100*b.Score) - int(100*a.Score) }) {
			t.Errorf("%s: scores do not fall: %+v", p.ID, list.Items)
		}
		if again := get(p.ID + "?limit=100"); !slices.Equal(again.Items, list.Items) {
			t.Errorf("%s: another list the second time", p.ID)
		}
		if !strings.HasPrefix(list.Items[0].Reason, "because you like ") {
			t.Errorf("%s: the first reason is %q", p.ID, list.Items[0].Reason)
		}
		top := fmt.Sprint(list.Items[:10])
		if other := tops[top]; other != "" {
			t.Errorf("%s and %s have the same taste", p.ID, other)
		}
		tops[top] = p.ID
	}
	for i, item := range get("nobody").Items {
		if item.Reason != "popular" || item.ID != i+1 {
			t.Errorf("nobody's item %d is %+v", i, item)
		}
	}
}

func TestCatalogue(t *testing.T) {
	url := begin(t).URL("catalogue")
	want(t, "GET", url+"/films/17", "", 200, metropolisJSON)
	want(t, "GET", url+"/films?ids=99999,17", "", 200, `{"films":[`+metropolisJSON+`]}`)
	want(t, "GET", url+"/films?ids=99999", "", 200, `{"films":[]}`)

	var list filmList
	r := call(t, "GET", url+"/films?ids=3,17,1&ids=2", "")
	if err := json.Unmarshal([]byte(r.body), &list); err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, f := range list.Films {
		got = append(got, f.ID)
	}
	if !slices.Equal(got, []int{3, 17, 1, 2}) {
		t.Errorf("films come in the order %v", got)
	}

	if r := call(t, "GET", url+"/films?ids="+numbers(200), ""); r.status != 200 {
		t.Errorf("200 ids: %d %s", r.status, r.body)
	}
}

// numbers returns "1,2,…,n".
func numbers(n int) string {
	var list []string
	for i := range n {
		list = append(list, strconv.Itoa(i+1))
	}
	return strings.Join(list, ",")
}

func TestRatings(t *testing.T) {
	url := begin(t).URL("ratings") + "/ratings/"
	want(t, "GET", url+"paul?ids=18,17", "", 200, `{"profile":"paul","ratings":[{"video":17,"rating":"THUMBS_UP"}]}`)
	var all ratingList
	if err := json.Unmarshal([]byte(call(t, "GET", url+"paul", "").body), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Ratings) != 6 || !slices.IsSortedFunc(all.Ratings, func(a, b rating) int { return a.Video - b.Video }) {
		t.Errorf("paul's ratings: %+v", all.Ratings)
	}

	want(t, "GET", url+"nobody", "", 200, `{"profile":"nobody","ratings":[]}`)
	want(t, "PUT", url+"nobody/3", `{"rating":"NONE"}`, 200, `{"video":3,"rating":"NONE"}`)
	want(t, "PUT", url+"nobody/3", `{"rating":"THUMBS_UP"}`, 200, `{"video":3,"rating":"THUMBS_UP"}`)
	want(t, "PUT", url+"nobody/2", `{"rating":"THUMBS_DOWN"}`, 200, `{"video":2,"rating":"THUMBS_DOWN"}`)
	want(t, "PUT", url+"nobody/3", `{"rating":"THUMBS_DOWN"}`, 200, `{"video":3,"rating":"THUMBS_DOWN"}`)
	want(t, "GET", url+"nobody", "", 200, `{"profile":"nobody","ratings":[{"video":2,"rating":"THUMBS_DOWN"},{"video":3,"rating":"THUMBS_DOWN"}]}`)
	want(t, "PUT", url+"nobody/2", `{"rating":"NONE"}`, 200, `{"video":2,"rating":"NONE"}`)
	want(t, "GET", url+"nobody", "", 200, `{"profile":"nobody","ratings":[{"video":3,"rating":"THUMBS_DOWN"}]}`)
}

func TestRatingsAreBounded(t *testing.T) {
	url := begin(t).URL("ratings") + "/ratings/"
	for i := range maxRated - len(seedRatings()) {
		if r := call(t, "PUT", url+fmt.Sprintf("p-%d/1", i), `{"rating":"THUMBS_UP"}`); r.status != 200 {
			t.Fatalf("profile %d: %d %s", i, r.status, r.body)
		}
	}
	r := call(t, "PUT", url+"one-more/1", `{"rating":"THUMBS_UP"}`)
	if code, message := failed(t, r); r.status != http.StatusConflict || code != "full" || !strings.Contains(message, "1000 profiles") {
		t.Errorf("one more: %d %s", r.status, r.body)
	}
	// Whoever has ratings may go on, and room that is freed can be used.
	if r := call(t, "PUT", url+"p-0/2", `{"rating":"THUMBS_UP"}`); r.status != 200 {
		t.Errorf("a second rating: %d %s", r.status, r.body)
	}
	if r := call(t, "PUT", url+"p-1/1", `{"rating":"NONE"}`); r.status != 200 {
		t.Errorf("NONE: %d %s", r.status, r.body)
	}
	if r := call(t, "PUT", url+"one-more/1", `{"rating":"THUMBS_UP"}`); r.status != 200 {
		t.Errorf("one more, with room: %d %s", r.status, r.body)
	}
}

func TestFailures(t *testing.T) {
	s := begin(t)
	long := strings.Repeat("x", 100)
	tests := []struct {
		service, method, path, body string
		status                      int
		code, message               string // the message contains it
	}{
		{"profiles", "GET", "/profiles/x", "", 404, "not_found", `no profile "x"`},
		{"profiles", "GET", "/profiles/Pa%20ul", "", 400, "bad_request", `profile "Pa ul": expected`},
		{"profiles", "GET", "/profiles/a%2Fb", "", 400, "bad_request", `profile "a/b"`},
		{"profiles", "GET", "/profiles/" + long, "", 400, "bad_request", `xxx…": expected 1 to 64`},
		{"profiles", "GET", "/profiles/", "", 404, "not_found", `profiles has no "/profiles/"`},
		{"profiles", "GET", "/", "", 404, "not_found", `profiles has no "/"`},
		{"profiles", "POST", "/profiles/paul", "{}", 405, "method_not_allowed", "POST on /profiles/paul: expected GET, HEAD"},
		{"profiles", "DELETE", "/_sample", "", 405, "method_not_allowed", "expected GET, HEAD, PUT"},
		{"profiles", "GET", "/profiles/paul", strings.Repeat(" ", maxBody+1), 413, "too_large", "64 KiB"},

		{"members", "GET", "/members/c-9", "", 404, "not_found", `no customer "c-9"`},
		{"members", "GET", "/members/c_9", "", 400, "bad_request", `customer "c_9"`},
		{"members", "PUT", "/members/c-9", `{"plan":"two-stream"}`, 404, "not_found", `no customer "c-9"`},
		{"members", "PUT", "/members/c_9", `{"plan":"two-stream"}`, 400, "bad_request", `customer "c_9"`},
		{"members", "PUT", "/members/c-1001", `{"plan":"gold"}`, 400, "bad_request", `plan "gold": expected one-stream, two-stream or four-stream`},
		{"members", "PUT", "/members/c-1001", `{}`, 400, "bad_request", `plan ""`},
		{"members", "PUT", "/members/c-1001", ``, 400, "bad_request", `no JSON object: expected {"plan":"two-stream"}`},
		{"members", "PUT", "/members/c-1001", `null`, 400, "bad_request", `no JSON object`},
		{"members", "PUT", "/members/c-1001", `{"plan":2}`, 400, "bad_request", `plan is of type number: expected {"plan":"two-stream"}`},
		{"members", "PUT", "/members/c-1001", `{"plan":"two-stream"`, 400, "bad_request", `unexpected EOF: expected {"plan":"two-stream"}`},
		{"members", "PUT", "/members/c-1001", `{"plan":"two-stream","x":1}`, 400, "bad_request", `unknown field "x"`},
		{"members", "PUT", "/members/c-1001", `{"plan":"two-stream"}{}`, 400, "bad_request", `goes on after`},
		{"members", "PUT", "/members/c-1001", `{"plan":"` + strings.Repeat("x", maxBody), 413, "too_large", "64 KiB"},
		{"members", "PUT", "/members/c-1001", `{"plan":"` + strings.Repeat("x", maxBody-9), 400, "bad_request", "unexpected EOF"},

		{"recommendations", "GET", "/recommendations/PAUL", "", 400, "bad_request", `profile "PAUL"`},
		{"recommendations", "GET", "/recommendations/paul?limit=0", "", 400, "bad_request", `limit "0": expected a whole number from 1 to 100`},
		{"recommendations", "GET", "/recommendations/paul?limit=101", "", 400, "bad_request", `limit "101"`},
		{"recommendations", "GET", "/recommendations/paul?limit=-1", "", 400, "bad_request", `limit "-1"`},
		{"recommendations", "GET", "/recommendations/paul?limit=ten", "", 400, "bad_request", `limit "ten"`},
		{"recommendations", "GET", "/recommendations/paul?limit=", "", 400, "bad_request", `limit ""`},
		{"recommendations", "GET", "/recommendations/paul?limit=%zz", "", 400, "bad_request", `the query "limit=%zz"`},
		{"recommendations", "PUT", "/recommendations/paul", "", 405, "method_not_allowed", "expected GET, HEAD"},

		{"catalogue", "GET", "/films/257000", "", 404, "not_found", `no film 257000`},
		{"catalogue", "GET", "/films/0", "", 400, "bad_request", `film "0": expected a whole number from 1`},
		{"catalogue", "GET", "/films/seven", "", 400, "bad_request", `film "seven"`},
		{"catalogue", "GET", "/films/+7", "", 400, "bad_request", `film "+7"`},
		{"catalogue", "GET", "/films/99999999999999999999", "", 400, "bad_request", `film "99999999999999999999"`},
		{"catalogue", "GET", "/films", "", 400, "bad_request", `ids is missing: expected /films?ids=1,2,3`},
		{"catalogue", "GET", "/films?ids=", "", 400, "bad_request", `ids has ""`},
		{"catalogue", "GET", "/films?ids=1,x", "", 400, "bad_request", `ids has "x"`},
		{"catalogue", "GET", "/films?ids=1,,2", "", 400, "bad_request", `ids has ""`},
		{"catalogue", "GET", "/films?ids=" + numbers(201), "", 400, "bad_request", `ids has 201 ids: expected at most 200`},
		{"catalogue", "PATCH", "/films", "", 405, "method_not_allowed", "expected GET, HEAD"},

		{"ratings", "GET", "/ratings/pa_ul", "", 400, "bad_request", `profile "pa_ul"`},
		{"ratings", "GET", "/ratings/paul?ids=", "", 400, "bad_request", `ids has ""`},
		{"ratings", "GET", "/ratings/paul?ids=17;18", "", 400, "bad_request", `the query "ids=17;18"`},
		{"ratings", "GET", "/ratings/paul?ids=" + numbers(201), "", 400, "bad_request", `ids has 201 ids`},
		{"ratings", "GET", "/ratings/paul/17", "", 405, "method_not_allowed", "expected PUT"},
		{"ratings", "PUT", "/ratings/pa_ul/17", `{"rating":"NONE"}`, 400, "bad_request", `profile "pa_ul"`},
		{"ratings", "PUT", "/ratings/paul/x", `{"rating":"NONE"}`, 400, "bad_request", `video "x"`},
		{"ratings", "PUT", "/ratings/paul/9999", `{"rating":"THUMBS_UP"}`, 404, "not_found", `no film 9999`},
		{"ratings", "PUT", "/ratings/paul/17", `{"rating":"STARS"}`, 400, "bad_request", `rating "STARS": expected THUMBS_UP, THUMBS_DOWN or NONE`},
		{"ratings", "PUT", "/ratings/paul/17", `[]`, 400, "bad_request", `expected {"rating":"THUMBS_UP"}`},

		{"accounts", "GET", "/accounts/c-9", "", 403, "gone", `no customer "c-9"`},
		{"accounts", "GET", "/accounts/c_9", "", 400, "bad_request", `customer "c_9"`},
		{"accounts", "GET", "/accounts/c-1001?profile=yuki", "", 403, "gone", `c-1001 has no profile "yuki"`},
		{"accounts", "GET", "/accounts/c-1001?profile=" + long, "", 403, "gone", `xxx…"`},
		{"accounts", "GET", "/accounts/c-1001?session=", "", 400, "bad_request", `session "": expected 1 to 64`},
		{"accounts", "GET", "/accounts/c-1001?session=A%20B", "", 400, "bad_request", `session "A B"`},
		{"accounts", "GET", "/accounts/c-1001?%zz", "", 400, "bad_request", `the query "%zz"`},
		{"accounts", "PUT", "/accounts/c-1001", "{}", 405, "method_not_allowed", "expected GET, HEAD"},
		{"accounts", "GET", "/sign-in", "", 405, "method_not_allowed", "expected POST"},
		{"accounts", "POST", "/sign-in", `{"customer":"c-1001","password":"Popcorn"}`, 401, "unauthenticated", "no such customer, or another password"},
		{"accounts", "POST", "/sign-in", `{"customer":"c-1001"}`, 401, "unauthenticated", "no such customer, or another password"},
		{"accounts", "POST", "/sign-in", `{"customer":"c-9","password":"popcorn"}`, 401, "unauthenticated", "no such customer, or another password"},
		{"accounts", "POST", "/sign-in", `{"email":"x@example.com","password":"popcorn"}`, 401, "unauthenticated", "no such customer, or another password"},
		{"accounts", "POST", "/sign-in", `{"email":"paul@example.com","password":"popcorn","profile":"yuki"}`, 404, "not_found", `c-1001 has no profile "yuki"`},
		{"accounts", "POST", "/sign-in", `{"password":"popcorn"}`, 400, "bad_request", "either customer or email"},
		{"accounts", "POST", "/sign-in", `{"customer":"c-1001","email":"paul@example.com","password":"popcorn"}`, 400, "bad_request", "either customer or email"},
		{"accounts", "POST", "/sign-in", ``, 400, "bad_request", `no JSON object: expected {"customer":"c-1001","password":"…"}`},
		{"accounts", "POST", "/sign-in", `{"customer":"c-1001","password":7}`, 400, "bad_request", "password is of type number"},
		{"accounts", "POST", "/sign-out", `{}`, 400, "bad_request", `session "": expected`},
		{"accounts", "POST", "/sign-out", `{"session":"` + long + `"}`, 400, "bad_request", `xxx…": expected 1 to 64`},
		{"accounts", "POST", "/sign-out-all", `{}`, 400, "bad_request", `customer "": expected`},
		{"accounts", "POST", "/sign-out-all", `{"customer":"c-9"}`, 404, "not_found", `no customer "c-9"`},
		{"accounts", "GET", "/objects/x", "", 400, "bad_request", `object "x": expected a SHA-256`},
		{"accounts", "GET", "/objects/" + strings.Repeat("0", 64), "", 404, "not_found", `no object "0000`},
		{"accounts", "GET", "/objects/" + strings.Repeat("0", 66), "", 400, "bad_request", `object "0000`},

		{"ratings", "PUT", "/_sample", `{"mode":"slow"}`, 400, "bad_request", `mode "slow": expected ok, fail, hang, half, garbage or huge`},
		{"ratings", "PUT", "/_sample", `{"mode":""}`, 400, "bad_request", `mode "": expected ok, fail, hang, half, garbage or huge`},
		{"ratings", "PUT", "/_sample", `{"mode":1}`, 400, "bad_request", `mode is of type number`},
		{"ratings", "PUT", "/_sample", `{"latency":"20"}`, 400, "bad_request", `latency "20": expected a duration such as 20ms`},
		{"ratings", "PUT", "/_sample", `{"latency":"2m"}`, 400, "bad_request", `latency 2m0s: expected at most 1m0s`},
		{"ratings", "PUT", "/_sample", `{"latncy":"20ms"}`, 400, "bad_request", `unknown field "latncy": expected {"mode":`},
		{"ratings", "PUT", "/_sample", `{"mode":"hang","latency":"x"}`, 400, "bad_request", `latency "x"`},
	}
	for _, test := range tests {
		name := test.method + " " + clip(test.path) + " " + clip(test.body)
		r := call(t, test.method, s.URL(test.service)+test.path, test.body)
		code, message := failed(t, r)
		if r.status != test.status || code != test.code || !strings.Contains(message, test.message) {
			t.Errorf("%s: %s:\n got %d %s %s\nwant %d %s %s", test.service, name, r.status, code, message, test.status, test.code, test.message)
		}
		if len(message) > 300 {
			t.Errorf("%s: %s: a message of %d bytes", test.service, name, len(message))
		}
		if (r.header.Get("Allow") != "") != (test.status == 405) {
			t.Errorf("%s: %s: %d with Allow %q", test.service, name, r.status, r.header.Get("Allow"))
		}
	}
	// A request that was refused has changed nothing.
	want(t, "GET", s.URL("members")+"/members/c-1001", "", 200, `{"customer":"c-1001","plan":"four-stream","streams":4,"since":"2019-04-02"}`)
	want(t, "GET", s.URL("ratings")+"/ratings/paul?ids=17", "", 200, `{"profile":"paul","ratings":[{"video":17,"rating":"THUMBS_UP"}]}`)
	if mode, _, _ := s.byName["ratings"].current.get(); mode != ModeOK {
		t.Errorf("the mode is %s", mode)
	}
}
