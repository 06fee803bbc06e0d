package sample

// Event is that an account has changed: what is known of it since before At is
// to be asked for again.
type Event struct {
	Kind     EventKind `json:"kind"`
	Customer string    `json:"customer,omitempty"` // empty if only the session is known
	Session  string    `json:"session,omitempty"`  // of SignedOut
	At       int64     `json:"at"`                 // milliseconds since 1970
}

// EventKind is what has changed.
type EventKind string

// The kinds of events.
const (
	// PlanChanged: another plan, by PUT /members/{customer}.
	PlanChanged EventKind = "plan_changed"
	// SignedOut: one session ended.
	SignedOut EventKind = "signed_out"
	// SignedOutAll: all sessions of the customer ended.
	SignedOutAll EventKind = "signed_out_all"
)
