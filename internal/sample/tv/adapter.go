package tv

import (
	"encoding/json"
	"net/http"
	"strconv"

	"warmline.dev/internal/sample/service"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/protocol"
)

// App is the name that devices ask for.
const App = "tv"

// Version is one version of the adapter.
type Version struct {
	Version string
	Wants   map[string]string // of the edge
	Handler func(edge *nodelayer.Edge) http.Handler
}

// Versions are the two that a node runs side by side.
func Versions() []Version {
	return []Version{
		{"1.3.0", wants("^1.4"), func(e *nodelayer.Edge) http.Handler { return routes(e, home1(e)) }},
		{"2.0.0", wants("^2.1"), func(e *nodelayer.Edge) http.Handler { return routes(e, home2(e)) }},
	}
}

func wants(catalogue string) map[string]string {
	return map[string]string{
		"profiles": "^1", "members": "^1.2", "recommendations": "^1", "ratings": "^1.1", "accounts": "^1", "catalogue": catalogue,
	}
}

func routes(edge *nodelayer.Edge, home func(*http.Request) (any, error)) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /home", adapter.JSON(home))
	mux.Handle("POST /ratings/{video}", adapter.JSON(func(r *http.Request) (any, error) { return rate(r, edge) }))
	mux.Handle("POST /plan", adapter.JSON(func(r *http.Request) (any, error) { return changePlan(r, edge) }))
	mux.Handle("GET /me", adapter.JSON(me))
	mux.Handle("POST /sign-in", adapter.JSON(func(r *http.Request) (any, error) { return signIn(r, edge) }))
	mux.Handle("POST /sign-out", adapter.JSON(func(r *http.Request) (any, error) { return signOut(r, edge, "accounts.signOut") }))
	mux.Handle("POST /sign-out-everywhere", adapter.JSON(func(r *http.Request) (any, error) { return signOut(r, edge, "accounts.signOutAll") }))
	mux.Handle("/", adapter.JSON(func(r *http.Request) (any, error) {
		return nil, protocol.Errorf(protocol.NotFound, "%s %.80q: this adapter has GET /home, GET /me, and POST /sign-in, /sign-out, /sign-out-everywhere, /plan and /ratings/{video}", r.Method, r.URL.Path)
	}))
	return mux
}

func rate(r *http.Request, edge *nodelayer.Edge) (any, error) {
	video, err := strconv.Atoi(r.PathValue("video"))
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "video %.20q: expected a number", r.PathValue("video"))
	}
	var body struct {
		Rating string `json:"rating"`
	}
	if err := decodeBody(r, &body, `{"rating":"THUMBS_UP"}`); err != nil {
		return nil, err
	}
	conv := edge.Converse(r.Context())
	defer conv.Close()
	return nodelayer.Call[service.Rating](r.Context(), conv, "ratings.rate", service.Rating{Video: video, Rating: body.Rating})
}

func changePlan(r *http.Request, edge *nodelayer.Edge) (any, error) {
	var body service.ChangePlan
	if err := decodeBody(r, &body, `{"plan":"two-stream"}`); err != nil {
		return nil, err
	}
	conv := edge.Converse(r.Context())
	defer conv.Close()
	// It completes the passport with the customer, whose plan it is.
	if _, err := nodelayer.Call[service.Profile](r.Context(), conv, "profiles.current", nil); err != nil {
		return nil, err
	}
	return nodelayer.Call[service.Member](r.Context(), conv, "members.change", body)
}

func decodeBody(r *http.Request, into any, example string) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return protocol.Errorf(protocol.InvalidArgument, "the body is not what was expected, %s: %w", example, err)
	}
	return nil
}
