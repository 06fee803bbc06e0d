package accounts_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/internal/accounts"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const whole = `{"customer":"c-1001","profile":"paul","plan":"four-stream","country":"FR","preferences":{"language":"fr"},` +
	`"references":{"layout":"0500000000000000000000000000000000000000000000000000000000000000"},"signedOutAt":1000`

func start(t *testing.T, answer func(r *http.Request) (int, string)) *accounts.Source {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, text := answer(r)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	s, err := accounts.New(server.URL, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestOneAnswerIsAWholePassport(t *testing.T) {
	asked := ""
	s := start(t, func(r *http.Request) (int, string) {
		asked = r.Method + " " + r.URL.String()
		return 200, whole + `,"session":{"id":"s/1","good":true}}`
	})
	got, err := s.Load(t.Context(), identity.Subject{Customer: "c/1001", Profile: "paul", Session: "s/1", Issued: time.UnixMilli(1001)})
	want := passport.Passport{
		Customer: "c-1001", Profile: "paul", Plan: "four-stream", Country: "FR", Level: passport.Authenticated,
		Preferences: map[string]string{"language": "fr"}, References: map[string]passport.Reference{"layout": {5}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if asked != "GET /accounts/c%2F1001?profile=paul&session=s%2F1" {
		t.Errorf("asked %s", asked)
	}
}

func TestWhatTheSourceSays(t *testing.T) {
	after, before := time.UnixMilli(1001), time.UnixMilli(1000)
	for name, tc := range map[string]struct {
		status  int
		answer  string
		session string
		issued  time.Time
		code    protocol.Code // 0: none
	}{
		"good, without a session":  {200, whole + "}", "", after, 0},
		"signed out since":         {200, whole + "}", "", before, protocol.Unauthenticated},
		"the session is good":      {200, whole + `,"session":{"good":true}}`, "s", after, 0},
		"the session has ended":    {200, whole + `,"session":{"good":false}}`, "s", after, protocol.Unauthenticated},
		"nothing of the session":   {200, whole + "}", "s", after, protocol.Unauthenticated},
		"good, but all signed out": {200, whole + `,"session":{"good":true}}`, "s", before, protocol.Unauthenticated},
		"the account is gone":      {403, "", "", after, protocol.Forbidden},
		"there is no such place":   {404, "", "", after, protocol.NotFound},
		"it fails":                 {500, "", "", after, protocol.Unavailable},
		"it wants a password":      {401, "", "", after, protocol.Unavailable}, // from the gateway: it is not the device's fault
		"no JSON":                  {200, "<html>", "", after, protocol.Unavailable},
		"a bad reference":          {200, `{"customer":"c","references":{"layout":"05"}}`, "", after, protocol.Unavailable},
		"a long reference":         {200, `{"customer":"c","references":{"layout":"` + strings.Repeat("0", 200) + `"}}`, "", after, protocol.Unavailable},
		"a long preference":        {200, `{"customer":"c","preferences":{"layout":"` + strings.Repeat("0", 2000) + `"}}`, "", after, protocol.Unavailable},
		"far too much":             {200, `{"customer":"` + strings.Repeat("0", 100<<10) + `"}`, "", after, protocol.Unavailable},
	} {
		s := start(t, func(*http.Request) (int, string) { return tc.status, tc.answer })
		_, err := s.Load(t.Context(), identity.Subject{Customer: "c-1001", Session: tc.session, Issued: tc.issued})
		if tc.code == 0 && err != nil || tc.code != 0 && (err == nil || protocol.AsError(err).Code != tc.code) {
			t.Errorf("%s: %v, want code %v", name, err, tc.code)
		}
	}
}

// Whoever sets the gateway up reads what is wrong, and nobody reads who was asked about.
func TestNotFoundSaysWhatIsExpected(t *testing.T) {
	s := start(t, func(*http.Request) (int, string) { return 404, `{"error":{"message":"no customer \"c-1001\""}}` })
	_, err := s.Load(t.Context(), identity.Subject{Customer: "c-1001"})
	if err == nil || !strings.Contains(err.Error(), "expected its URL") || !strings.Contains(err.Error(), "403 for an account that is gone") || strings.Contains(err.Error(), "c-1001") {
		t.Error(err)
	}
}

func TestABadURL(t *testing.T) {
	if s, err := accounts.New("ftp://nowhere", zerolog.Nop()); err == nil {
		s.Close()
		t.Error("it was taken")
	}
}
