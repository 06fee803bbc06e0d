package sample

import (
	"net/http"
	"sync"
)

type member struct {
	Customer string `json:"customer"`
	Plan     string `json:"plan"`
	Streams  int    `json:"streams"`
	Since    string `json:"since"`
}

// streamsOf returns how many streams a plan allows at once, 0 if there is no
// such plan.
func streamsOf(plan string) int {
	switch plan {
	case "one-stream":
		return 1
	case "two-stream":
		return 2
	case "four-stream":
		return 4
	}
	return 0
}

func seedMembers() []member {
	return []member{
		{"c-1001", "four-stream", 4, "2019-04-02"},
		{"c-1002", "two-stream", 2, "2021-11-15"},
		{"c-1003", "two-stream", 2, "2020-06-30"},
		{"c-1004", "one-stream", 1, "2023-01-09"},
	}
}

// members is the members service: who has which plan.
type members struct {
	mu         sync.Mutex
	byCustomer map[string]member
}

// membersRoutes makes the members service.
func membersRoutes() map[string]endpoint {
	m := &members{byCustomer: make(map[string]member)}
	for _, one := range seedMembers() {
		m.byCustomer[one.Customer] = one
	}
	return map[string]endpoint{
		"GET /members/{customer}": m.get,
		"PUT /members/{customer}": m.put,
	}
}

func (m *members) get(r *http.Request) (any, error) {
	customer, err := pathName(r, "customer", "customer")
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.byCustomer[customer]
	if !ok {
		return nil, notFound("no customer %q", customer)
	}
	return one, nil
}

func (m *members) put(r *http.Request) (any, error) {
	customer, err := pathName(r, "customer", "customer")
	if err != nil {
		return nil, err
	}
	var change struct {
		Plan string `json:"plan"`
	}
	if err := decodeBody(r, &change, `{"plan":"two-stream"}`); err != nil {
		return nil, err
	}
	streams := streamsOf(change.Plan)
	if streams == 0 {
		return nil, badRequest("plan %q: expected one-stream, two-stream or four-stream", clip(change.Plan))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.byCustomer[customer]
	if !ok {
		return nil, notFound("no customer %q", customer)
	}
	one.Plan, one.Streams = change.Plan, streams
	m.byCustomer[customer] = one
	return one, nil
}
