package revocation_test

import (
	"strings"
	"testing"
	"time"

	"warmline.dev/passport/revocation"
)

func TestEvents(t *testing.T) {
	for text, want := range map[string]revocation.Event{
		`{"customer":"c-1001","at":1790000000123}`:              {Customer: "c-1001", At: time.UnixMilli(1790000000123)},
		`{"at":0,"why":{"it":["was","stolen"]},"customer":"ü"}`: {Customer: "ü"},
		`{"customer":"c"}`: {Customer: "c"},
		`{"customer":"` + strings.Repeat("c", 256) + `"}`: {Customer: strings.Repeat("c", 256)},
	} {
		if got, err := revocation.ParseEvent([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		``, `{}`, `[]`, `null`, `"c-1001"`, `{"customer":""}`, `{"customer":17}`, `{"Customer":"secret"}`,
		`{"customer":"secret"`, `{"customer":"secret"} {}`, `{"customer":"secret","customer":"other"}`,
		`{"customer":"secret","at":-1}`, `{"customer":"secret","at":1.5}`, `{"customer":"secret","at":"now"}`,
		`{"customer":"secret","at":99999999999999999999}`, `{"customer":"` + strings.Repeat("c", 257) + `"}`,
		`{"customer":"secret` + "\xff" + `"}`, `{"customer":"secret","x":"` + strings.Repeat("x", 4096) + `"}`,
		strings.Repeat(`{"customer":`, 300),
	} {
		got, err := revocation.ParseEvent([]byte(text))
		if err == nil || got != (revocation.Event{}) {
			t.Errorf("%.60s: %v", text, got)
		} else if s := err.Error(); strings.Contains(s, "secret") || !strings.Contains(s, `{"customer":`) {
			t.Errorf("%.60s: %s", text, s)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"customer":"c-1001","at":1790000000123}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := revocation.ParseEvent(data)
		if err == nil && (e.Customer == "" || len(e.Customer) > 256 || len(data) > 4096) {
			t.Errorf("%+v", e)
		}
	})
}
