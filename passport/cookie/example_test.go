package cookie_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

func Example() {
	jar, err := cookie.New(cookie.Config{Keys: []passport.Key{passport.NewKey("2026-01")}})
	if err != nil {
		panic(err)
	}
	// A device signs in.
	answer := httptest.NewRecorder()
	if err := jar.Write(answer, jar.Begin(passport.Passport{Customer: "c-1001", Level: passport.Authenticated}, time.Now())); err != nil {
		panic(err)
	}
	// Later it is back.
	request := &http.Request{Header: http.Header{"Cookie": {answer.Result().Cookies()[0].Name + "=" + answer.Result().Cookies()[0].Value}}}
	for _, now := range []time.Time{time.Now(), time.Now().Add(9 * time.Hour)} {
		c, err := jar.Read(request, now)
		fmt.Println(c.Passport.Customer, c.State(now), err)
	}
	// Output:
	// c-1001 trusted <nil>
	// c-1001 stale <nil>
}
