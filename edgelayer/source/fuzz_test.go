package source_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/source"
)

// FuzzAnswer has a source answer anything. Do returns in time, with an answer of
// status 2xx or an error, and nothing is left under way.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"Method":"GET"}`, "")
	f.Add(200, `{"Method":7}`, "")
	f.Add(404, `{"error":{"message":"no film 7"}}`, "")
	f.Add(503, "<html>", "1")
	f.Add(429, "", "Sat, 01 Jan 2000 00:00:02 GMT")
	f.Add(429, "", "-99999999999")
	f.Add(503, "", "2147483647")
	f.Add(429, "", "Fri, 31 Dec 9999 23:59:59 GMT")
	f.Fuzz(func(t *testing.T, status int, body, header string) {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: func(int64, *http.Request) (*http.Response, error) {
				return reply(status, body, "Retry-After", header)
			}}
			for _, timeout := range []time.Duration{time.Second, -1} {
				s := of(t, p, source.Config{Timeout: timeout, MaxBody: 10_000})
				start := time.Now()
				var got asked
				err := s.Get(context.Background(), "/x", nil, &got)
				if took := time.Since(start); took > 10*time.Second || timeout > 0 && took > timeout {
					t.Errorf("it took %v", took)
				}
				if err == nil && (status >= 300 || len(body) > 10_000) {
					t.Errorf("HTTP %d with %d bytes is an answer", status, len(body))
				}
				if err != nil && got != (asked{}) {
					t.Errorf("%+v is left of what was no answer", got)
				}
				if err != nil && (!strings.Contains(err.Error(), "source films: ") || len(err.Error()) > 500) {
					t.Errorf("%v", err)
				}
				if st := s.Stats(); st.InFlight != 0 || st.Attempts > 2 {
					t.Errorf("%+v", st)
				}
			}
		})
	})
}
