package token_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warmline.dev/passport/token"
)

func Example() {
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(issuerSet()) }))
	defer keys.Close()
	verifier, err := token.New(token.Config{
		Issuer: "https://issuer.example", Audience: "tv.example",
		URL:    keys.URL,
		Claims: token.Claims{Plan: "https://issuer.example/plan"},
	})
	if err != nil {
		panic(err)
	}
	defer verifier.Close()

	request := httptest.NewRequest(http.MethodGet, "/tv/home", nil)
	request.Header.Set("Authorization", "Bearer "+sign(jose.ES256, ecKey(), "ec", map[string]any{
		"iss": "https://issuer.example", "aud": "tv.example", "sub": "c-1001", "exp": time.Now().Add(time.Hour).Unix(),
		"https://issuer.example/plan": "premium",
	}))
	p, err := verifier.Read(request, time.Now())
	fmt.Println(p.Customer, p.Plan, p.Level, err)
	_, err = verifier.Read(request, time.Now().Add(2*time.Hour))
	fmt.Println(err)
	// Output:
	// c-1001 premium authenticated <nil>
	// unauthenticated: token: expired
}
