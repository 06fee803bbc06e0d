package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/token"
	"warmline.dev/protocol"
)

func TestTokensOfTheIssuer(t *testing.T) {
	v := ofFile(t, token.Config{})
	for name, text := range map[string]string{
		"RS256": sign(jose.RS256, rsaKey(), "rsa", claims),
		"ES256": sign(jose.ES256, ecKey(), "ec", claims),
		"EdDSA": sign(jose.EdDSA, edKey(), "ed", claims),
		// A single key fits.
		"no kid":                   sign(jose.ES256, ecKey(), "", claims),
		"an audience among others": sign(jose.EdDSA, edKey(), "ed", with("aud", []string{"x", audience})),
		"claims that nobody knows": sign(jose.EdDSA, edKey(), "ed", with("roles", map[string]any{"a": []int{1}})),
		"a key in its header":      embedded(otherKey(), "ed", edKey(), jose.EdDSA),
	} {
		opens(t, name, v, text, now, golden)
	}
	for name, change := range map[string]func(*passport.Passport){
		"profile": func(p *passport.Passport) { p.Profile = "" },
		"plan":    func(p *passport.Passport) { p.Plan = "" },
		"country": func(p *passport.Passport) { p.Country = "" },
		"iat":     func(p *passport.Passport) { p.Issued = time.Time{} },
	} {
		want := golden
		change(&want)
		opens(t, "without "+name, v, sign(jose.EdDSA, edKey(), "ed", with(name, nil)), now, want)
	}
}

// embedded is a token whose header has a key of its own.
func embedded(in crypto.Signer, id string, by any, alg jose.SignatureAlgorithm) string {
	key := jose.JSONWebKey{Key: in.Public(), KeyID: id}
	s := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: by}, (&jose.SignerOptions{}).WithHeader("kid", id).WithHeader("jwk", key).WithHeader("jku", "http://127.0.0.1:1/keys")))
	return must(must(s.Sign(must(json.Marshal(claims)))).CompactSerialize())
}

func TestClaimsAreFoundByName(t *testing.T) {
	said := maps.Clone(claims)
	said["https://example.com/plan"], said["who"], said["-"] = "basic", "p-9", "x"
	v := ofFile(t, token.Config{Claims: token.Claims{Profile: "who", Plan: "https://example.com/plan", Country: "-"}})
	want := golden
	want.Profile, want.Plan, want.Country = "p-9", "basic", ""
	opens(t, "named", v, sign(jose.EdDSA, edKey(), "ed", said), now, want)
}

func TestAlgorithmsArePinned(t *testing.T) {
	v := ofFile(t, token.Config{})
	payload := segment(string(must(json.Marshal(claims))))
	good := sign(jose.RS256, rsaKey(), "rsa", claims)
	_, signature, _ := cut(good)
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256", "RS512", "PS256", "ES384", "rs256", "RS256 ", "EdDSA\x00"} {
		header := segment(string(must(json.Marshal(map[string]any{"alg": alg, "kid": "rsa", "typ": "JWT"}))))
		for name, text := range map[string]string{
			"unsigned":                 header + "." + payload + ".",
			"with another's signature": header + "." + payload + "." + signature,
		} {
			refused(t, fmt.Sprintf("alg %q, %s", alg, name), v, text, now, token.ErrAlgorithm)
		}
	}
	for name, header := range map[string]string{
		"no alg":          `{"kid":"rsa"}`,
		"alg is a number": `{"kid":"rsa","alg":256}`,
		"alg is a list":   `{"kid":"rsa","alg":["RS256"]}`,
		"alg twice":       `{"kid":"rsa","alg":"RS256","alg":"none"}`,
		"kid is a number": `{"kid":1,"alg":"RS256"}`,
	} {
		refused(t, name, v, segment(header)+"."+payload+"."+signature, now, nil)
	}
	// The public key, as whoever wants to be clever would take it for a secret.
	public := rsaKey().Public().(*rsa.PublicKey)
	der := must(x509.MarshalPKIXPublicKey(public))
	for name, secret := range map[string][]byte{
		"the PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"the DER":     der,
		"PKCS #1":     x509.MarshalPKCS1PublicKey(public),
		"the modulus": public.N.Bytes(),
		"the JWK":     jwk(rsaKey(), "rsa", nil),
	} {
		for _, alg := range []string{"HS256", "RS256"} {
			signed := segment(`{"alg":"`+alg+`","kid":"rsa"}`) + "." + payload
			h := hmac.New(sha256.New, secret)
			h.Write([]byte(signed))
			want := token.ErrAlgorithm
			if alg == "RS256" {
				want = token.ErrForged
			}
			refused(t, "HS256 with "+name+" as "+alg, v, signed+"."+base64.RawURLEncoding.EncodeToString(h.Sum(nil)), now, want)
		}
	}
	// What another installation takes, if this one says so.
	es := ofFile(t, token.Config{Algorithms: []string{"ES256"}})
	opens(t, "ES256", es, sign(jose.ES256, ecKey(), "ec", claims), now, golden)
	refused(t, "RS256, not taken", es, good, now, token.ErrAlgorithm)
	ps := ofFile(t, token.Config{Algorithms: []string{"PS256"}})
	opens(t, "PS256", ps, sign(jose.PS256, rsaKey(), "rsa", claims), now, golden)
	refused(t, "RS256, where PS256 is taken", ps, good, now, token.ErrAlgorithm)
}

// cut is a token in two: what is signed, and the signature.
func cut(text string) (signed, signature string, ok bool) {
	i := strings.LastIndexByte(text, '.')
	return text[:i], text[i+1:], true
}

func TestKeysAreForTheirAlgorithm(t *testing.T) {
	v := start(t, token.Config{
		Algorithms: []string{"RS256", "PS256", "ES256", "ES384"},
		File: file(t, set(
			jwk(rsaKey(), "ps", map[string]any{"alg": "PS256"}), jwk(rsaKey(), "rsa", nil),
			jwk(ecKey(), "ec", nil), jwk(ec384Key(), "ec384", nil), jwk(ec384Key(), "wrong", map[string]any{"alg": "ES256"}),
			jwk(otherKey(), "encrypts", map[string]any{"use": "enc"}), jwk(otherKey(), "signs", map[string]any{"use": "sig"}),
		)),
	})
	opens(t, "PS256", v, sign(jose.PS256, rsaKey(), "ps", claims), now, golden)
	opens(t, "RS256", v, sign(jose.RS256, rsaKey(), "rsa", claims), now, golden)
	opens(t, "PS256, the key does not say", v, sign(jose.PS256, rsaKey(), "rsa", claims), now, golden)
	opens(t, "ES384", v, sign(jose.ES384, ec384Key(), "ec384", claims), now, golden)
	opens(t, "for signatures", v, sign(jose.ES256, otherKey(), "signs", claims), now, golden)
	for name, text := range map[string]string{
		"RS256 with the key of PS256":   sign(jose.RS256, rsaKey(), "ps", claims),
		"ES256 with a key of RSA":       sign(jose.ES256, ecKey(), "rsa", claims),
		"ES256 with a key of P-384":     sign(jose.ES256, ecKey(), "ec384", claims),
		"a key that says what it isn't": sign(jose.ES384, ec384Key(), "wrong", claims),
		"a key that encrypts":           sign(jose.ES256, otherKey(), "encrypts", claims),
		"a key that is not known":       sign(jose.ES256, ecKey(), "x", claims),
		"no kid, and several fit":       sign(jose.ES256, ecKey(), "", claims),
	} {
		refused(t, name, v, text, now, token.ErrUnknownKey)
	}
	refused(t, "another's key by the same name", v, sign(jose.ES256, otherKey(), "ec", claims), now, token.ErrForged)
	refused(t, "signed by the key in its header", v, embedded(otherKey(), "ec", otherKey(), jose.ES256), now, token.ErrForged)
}

func TestClaimsThatAreNotGood(t *testing.T) {
	v := ofFile(t, token.Config{})
	long := strings.Repeat("x", 256)
	for name, tc := range map[string]struct {
		claim string
		value any
		want  error
	}{
		"another issuer":            {"iss", "https://issuer.example.net", token.ErrIssuer},
		"the issuer in capitals":    {"iss", strings.ToUpper(issuer), token.ErrIssuer},
		"no issuer":                 {"iss", nil, token.ErrIssuer},
		"a list of issuers":         {"iss", []string{issuer}, token.ErrMalformed},
		"another audience":          {"aud", "web.example", token.ErrAudience},
		"other audiences":           {"aud", []string{"web.example", audience + "."}, token.ErrAudience},
		"no audience":               {"aud", nil, token.ErrAudience},
		"an empty list":             {"aud", []string{}, token.ErrAudience},
		"audiences: numbers":        {"aud", []int{1}, token.ErrMalformed},
		"no subject":                {"sub", nil, token.ErrMalformed},
		"an empty subject":          {"sub", "", token.ErrMalformed},
		"a subject that is long":    {"sub", long, token.ErrMalformed},
		"a subject that is no text": {"sub", 7, token.ErrMalformed},
		"a profile that is long":    {"profile", long, token.ErrMalformed},
		"a plan that is no text":    {"plan", map[string]any{"a": 1}, token.ErrMalformed},
		"a country that is a list":  {"country", []string{"DE"}, token.ErrMalformed},
		"no expiry":                 {"exp", nil, token.ErrMalformed},
		"an expiry that is text":    {"exp", "tomorrow", token.ErrMalformed},
		"an expiry without end":     {"exp", 1e17, token.ErrMalformed},
		"an expiry that overflows":  {"exp", 1e300, token.ErrMalformed},
		"expired":                   {"exp", now.Unix() - 61, token.ErrExpired},
		"expired long ago":          {"exp", -1e15, token.ErrExpired},
		"not yet":                   {"nbf", now.Unix() + 61, token.ErrFuture},
		"issued in the future":      {"iat", now.Unix() + 61, token.ErrFuture},
		"issued, as text":           {"iat", "now", token.ErrMalformed},
	} {
		refused(t, name, v, sign(jose.EdDSA, edKey(), "ed", with(tc.claim, tc.value)), now, tc.want)
	}
	// Within the minute for clocks.
	want := golden
	want.Expires = now.Add(time.Second)
	opens(t, "just expired", v, sign(jose.EdDSA, edKey(), "ed", with("exp", now.Unix()-59)), now, want)
	opens(t, "almost there", v, sign(jose.EdDSA, edKey(), "ed", with("nbf", now.Unix()+60)), now, golden)
	want = golden
	want.Issued = now.Add(time.Minute)
	opens(t, "almost issued", v, sign(jose.EdDSA, edKey(), "ed", with("iat", now.Unix()+60)), now, want)
}

func TestWhatIsNoToken(t *testing.T) {
	v := ofFile(t, token.Config{})
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	signed, signature, _ := cut(good)
	header, payload, _ := strings.Cut(signed, ".")
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: edKey()}, (&jose.SignerOptions{}).WithHeader("kid", "ed")))
	of := func(payload string) string {
		return must(must(signer.Sign([]byte(payload))).CompactSerialize())
	}
	for name, text := range map[string]string{
		"nothing":                "",
		"a word":                 "token",
		"two parts":              signed,
		"four parts":             good + "." + signature,
		"no signature":           signed + ".",
		"no payload":             header + ".." + signature,
		"no header":              "." + payload + "." + signature,
		"1 MB":                   good + strings.Repeat("A", 1<<20),
		"1 MB of dots":           strings.Repeat(".", 1<<20),
		"a header of 1 MB":       strings.Repeat("A", 1<<20) + "." + payload + "." + signature,
		"a header in depth":      segment(strings.Repeat("[", 4000)) + "." + payload + "." + signature,
		"a header that is none":  segment("[]") + "." + payload + "." + signature,
		"as JSON":                `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`,
		"claims that are a list": of("[]"),
		"claims that are null":   of("null"),
		"claims that are none":   of(""),
		"claims in depth":        of(`{"a":` + strings.Repeat("[", 4000)),
		"a claim twice":          of(`{"sub":"c-1","sub":"c-2"}`),
	} {
		refused(t, name, v, text, now, nil)
	}
	for name, extra := range map[jose.HeaderKey]any{"crit": []string{"exp"}, "b64": false} {
		s := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: edKey()}, (&jose.SignerOptions{}).WithHeader("kid", "ed").WithHeader(name, extra)))
		refused(t, "with "+string(name), v, must(must(s.Sign(must(json.Marshal(claims)))).CompactSerialize()), now, token.ErrMalformed)
	}
	for i := range good {
		refused(t, fmt.Sprintf("cut to %d bytes", i), v, good[:i], now, nil)
	}
	// One byte beyond the bound, and the bound.
	padded := func(n int) string {
		return sign(jose.EdDSA, edKey(), "ed", with("pad", strings.Repeat("x", n)))
	}
	n := 0
	for len(padded(n+1)) <= 8<<10 {
		n += max(1, (8<<10-len(padded(n+1)))*3/4)
	}
	opens(t, "8 KiB", v, padded(n), now, golden)
	refused(t, "more than 8 KiB", v, padded(n+1), now, token.ErrMalformed)
}

func TestEveryByteCounts(t *testing.T) {
	v := ofFile(t, token.Config{})
	for _, good := range []string{sign(jose.EdDSA, edKey(), "ed", claims), sign(jose.ES256, ecKey(), "ec", claims), sign(jose.RS256, rsaKey(), "rsa", claims)} {
		parts := strings.Split(good, ".")
		for i, part := range parts {
			raw := must(base64.RawURLEncoding.DecodeString(part))
			for j := range raw {
				b := bytes.Clone(raw)
				b[j] ^= 1 << (j % 8)
				changed := append([]string(nil), parts...)
				changed[i] = base64.RawURLEncoding.EncodeToString(b)
				var want error
				if i == 2 {
					want = token.ErrForged
				}
				refused(t, fmt.Sprintf("byte %d of part %d changed", j, i), v, strings.Join(changed, "."), now, want)
			}
		}
	}
}

func TestRead(t *testing.T) {
	v := ofFile(t, token.Config{})
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	for name, tc := range map[string]struct {
		headers []string
		want    error
	}{
		"none":             {nil, token.ErrMissing},
		"empty":            {[]string{""}, token.ErrMissing},
		"another scheme":   {[]string{"Basic YTpi"}, token.ErrMissing},
		"no scheme":        {[]string{good}, token.ErrMissing},
		"no token":         {[]string{"Bearer"}, token.ErrMissing},
		"an empty token":   {[]string{"Bearer "}, token.ErrMalformed},
		"good":             {[]string{"Bearer " + good}, nil},
		"in lower case":    {[]string{"bearer " + good}, nil},
		"two":              {[]string{"Bearer " + good, "Bearer " + good}, token.ErrMalformed},
		"two in one":       {[]string{"Bearer " + good + ", Bearer " + good}, token.ErrMalformed},
		"something behind": {[]string{"Bearer " + good + " x"}, token.ErrMalformed},
		"1 MB":             {[]string{"Bearer " + strings.Repeat("x", 1<<20)}, token.ErrMalformed},
	} {
		r := (&http.Request{Header: http.Header{"Authorization": tc.headers}}).WithContext(context.Background())
		p, err := v.Read(r, now)
		want := passport.Passport{}
		if tc.want == nil {
			want = golden
		}
		if d := cmp.Diff(want, p); err != tc.want || d != "" {
			t.Errorf("%s: %v, want %v\n%s", name, err, tc.want, d)
		}
	}
}

func TestErrorsHaveTheirStatus(t *testing.T) {
	for _, err := range all {
		e := protocol.AsError(fmt.Errorf("gateway: %w", err))
		want, retry := http.StatusUnauthorized, false
		if err == token.ErrNoKeys {
			want, retry = http.StatusServiceUnavailable, true
		}
		if got := e.Code.HTTPStatus(); got != want || e.Retry != retry || e.Remote {
			t.Errorf("%v: %d, %+v", err, got, e)
		}
		if !strings.HasPrefix(e.Message, "token: ") {
			t.Errorf("%q", e.Message)
		}
	}
}

func TestConfigsThatMakeNoSense(t *testing.T) {
	keys := file(t, issuerSet())
	for want, cfg := range map[string]token.Config{
		"Issuer and Audience are":     {Audience: audience, File: keys},
		"without them":                {Issuer: issuer, File: keys},
		"in either File or URL":       {Issuer: issuer, Audience: audience},
		"set in either":               {Issuer: issuer, Audience: audience, File: keys, URL: "https://issuer.example/keys"},
		"URL http://issuer.example":   {Issuer: issuer, Audience: audience, URL: "http://issuer.example/keys?secret=1"},
		"URL ftp://":                  {Issuer: issuer, Audience: audience, URL: "ftp://127.0.0.1/keys"},
		"without a user":              {Issuer: issuer, Audience: audience, URL: "https://user:secret@issuer.example/keys"},
		"expected https://HOST":       {Issuer: issuer, Audience: audience, URL: "issuer.example/keys"},
		"Timeout -1s":                 {Issuer: issuer, Audience: audience, File: keys, Timeout: -time.Second},
		"Refresh -1s":                 {Issuer: issuer, Audience: audience, File: keys, Refresh: -time.Second},
		"Cooldown -1s":                {Issuer: issuer, Audience: audience, File: keys, Cooldown: -time.Second},
		`algorithm "none"`:            {Issuer: issuer, Audience: audience, File: keys, Algorithms: []string{"none"}},
		`algorithm "HS256"`:           {Issuer: issuer, Audience: audience, File: keys, Algorithms: []string{"RS256", "HS256"}},
		`algorithm ""`:                {Issuer: issuer, Audience: audience, File: keys, Algorithms: []string{""}},
		"no such file":                {Issuer: issuer, Audience: audience, File: keys + "x"},
		"expected a file":             {Issuer: issuer, Audience: audience, File: t.TempDir()},
		"1 keys, and none of them is": {Issuer: issuer, Audience: audience, File: file(t, set(jwk(ec384Key(), "k", nil)))},
		"0 keys":                      {Issuer: issuer, Audience: audience, File: file(t, []byte(`{}`))},
		"not a key set: expected":     {Issuer: issuer, Audience: audience, File: file(t, []byte(`[]`))},
		"more than 262144 bytes":      {Issuer: issuer, Audience: audience, File: file(t, append(bytes.Repeat([]byte(" "), 256<<10), issuerSet()...))},
		"101 keys, expected at most":  {Issuer: issuer, Audience: audience, File: file(t, set(append(make([]json.RawMessage, 0), many(101)...)...))},
	} {
		v, err := token.New(cfg)
		if err == nil || v != nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "token: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func many(n int) []json.RawMessage {
	var keys []json.RawMessage
	for i := range n {
		keys = append(keys, jwk(edKey(), fmt.Sprint("k", i), nil))
	}
	return keys
}
