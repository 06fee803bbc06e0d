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
	tell func(Event)

	mu         sync.Mutex
	byCustomer map[string]member
}

func newMembers(tell func(Event)) *members {
	m := &members{tell: tell, byCustomer: make(map[string]member)}
	for _, one := range seedMembers() {
		m.byCustomer[one.Customer] = one
	}
	return m
}

// membersRoutes makes the members service.
func membersRoutes(m *members) map[string]endpoint {
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
	one, ok := m.find(customer)
	if !ok {
		return nil, notFound("no customer %q", customer)
	}
	return one, nil
}

func (m *members) find(customer string) (member, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.byCustomer[customer]
	return one, ok
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
	one, at, ok := m.change(customer, change.Plan, streams)
	if !ok {
		return nil, notFound("no customer %q", customer)
	}
	m.tell(Event{Kind: PlanChanged, Customer: customer, At: at})
	return one, nil
}

func (m *members) change(customer, plan string, streams int) (one member, at int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok = m.byCustomer[customer]
	if !ok {
		return member{}, 0, false
	}
	one.Plan, one.Streams = plan, streams
	m.byCustomer[customer] = one
	return one, now(), true
}
