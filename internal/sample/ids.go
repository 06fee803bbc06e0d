package sample

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxIDs     = 200
	maxNameLen = 64
)

// pathName returns the name in the path, of a profile or a customer.
func pathName(r *http.Request, what, wildcard string) (string, error) {
	name := r.PathValue(wildcard)
	if !validName(name) {
		return "", badName(what, name)
	}
	return name, nil
}

func validName(name string) bool {
	valid := name != "" && len(name) <= maxNameLen
	for _, c := range []byte(name) {
		valid = valid && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	return valid
}

func badName(what, name string) error {
	return badRequest("%s %q: expected 1 to %d of a-z, 0-9 and -", what, clip(name), maxNameLen)
}

// pathID returns the number of a film in the path.
func pathID(r *http.Request, what, wildcard string) (int, error) {
	text := r.PathValue(wildcard)
	id, ok := parseNumber(text)
	if !ok {
		return 0, badRequest("%s %q: expected a whole number from 1", what, clip(text))
	}
	return id, nil
}

// parseNumber reads a whole number from 1 up. It takes digits only, where strconv
// would let a sign pass.
func parseNumber(text string) (int, bool) {
	if text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.Atoi(text)
	return id, err == nil && id > 0
}

// query parses the query of r, where [http.Request.URL] would drop what it can't.
func query(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query %q: expected name=value pairs", clip(r.URL.RawQuery))
	}
	return values, nil
}

// queryIDs returns the ids in the query in the order asked, and whether there
// was a list at all. An empty list is an error, not a missing one: a caller that
// collected no ids must not get everything.
func queryIDs(r *http.Request) (ids []int, present bool, err error) {
	values, err := query(r)
	if err != nil {
		return nil, false, err
	}
	lists, present := values["ids"]
	if !present {
		return nil, false, nil
	}
	texts := strings.Split(strings.Join(lists, ","), ",")
	if len(texts) > maxIDs {
		return nil, true, badRequest("ids has %d ids: expected at most %d", len(texts), maxIDs)
	}
	for _, text := range texts {
		id, ok := parseNumber(text)
		if !ok {
			return nil, true, badRequest("ids has %q: expected whole numbers from 1, separated by commas", clip(text))
		}
		ids = append(ids, id)
	}
	return ids, true, nil
}
