package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
)

const layoutRows = 120

// object is an immutable value that is too large for a passport, by its SHA-256.
type object struct {
	SHA256 string `json:"sha256"`
	Value  string `json:"value"`
}

// cacheControl lets everybody keep it for good.
func (object) cacheControl() string { return "public, max-age=31536000, immutable" }

// objects are not written to.
type objects struct {
	byHash   map[string]object
	layoutBy map[string]string // hash by profile
}

func newObjects() objects {
	o := objects{byHash: make(map[string]object), layoutBy: make(map[string]string)}
	for i, p := range seedProfiles() {
		value := layout(i)
		sum := sha256.Sum256([]byte(value))
		hash := hex.EncodeToString(sum[:])
		o.byHash[hash], o.layoutBy[p.ID] = object{hash, value}, hash
	}
	return o
}

// layout is how a profile has arranged its page: some 6 KB of JSON.
func layout(profile int) string {
	type row struct {
		Row     int  `json:"row"`
		Columns int  `json:"columns"`
		Wide    bool `json:"wide"`
		Hidden  bool `json:"hidden"`
	}
	rows := make([]row, layoutRows)
	for i := range rows {
		rows[i] = row{Row: i + 1, Columns: 4 + (i+profile)%5, Wide: i%(profile+2) == 0, Hidden: i%(profile+7) == 6}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		panic(err) // impossible: numbers and booleans
	}
	return string(text)
}

func (o objects) layoutOf(profile string) string { return o.layoutBy[profile] }

func (o objects) get(r *http.Request) (any, error) {
	hash := r.PathValue("sha256")
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
		return nil, badRequest("object %q: expected a SHA-256, in 64 hexadecimal digits", clip(hash))
	}
	one, ok := o.byHash[hash]
	if !ok {
		return nil, notFound("no object %q", hash)
	}
	return one, nil
}
