package protocol

// DeviceRequest is what a gateway sends to an adapter on [RouteDevice]: an HTTP
// request, without what is the gateway's own business.
type DeviceRequest struct {
	Method string              `json:"method"`           // "GET"
	Path   string              `json:"path"`             // behind the app: "/home"
	Query  string              `json:"query,omitempty"`  // as in the URL, behind the "?"
	Header map[string][]string `json:"header,omitempty"` // what concerns the content; no cookies, no credentials
	Body   []byte              `json:"body,omitempty"`   // base64 where the line speaks JSON
}

// DeviceResponse is the adapter's answer.
type DeviceResponse struct {
	Status int                 `json:"status"` // HTTP's
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"` // base64 where the line speaks JSON
	Calls  []Timing            `json:"calls,omitempty"`

	Conversations []Figures `json:"conversations,omitempty"`
}

// Figures are what one conversation came to, as the adapter saw it.
type Figures struct {
	Calls      int `json:"calls"`
	References int `json:"references,omitempty"` // that the edge resolved
	ViewHits   int `json:"view_hits,omitempty"`  // calls that the conversation had asked before
	Moves      int `json:"moves,omitempty"`      // to another edge
}

// Timing is how long one call of the conversation took, as the adapter saw it.
type Timing struct {
	Method string `json:"method"`
	Micros int64  `json:"us"`
	Code   string `json:"code,omitempty"` // "" if it succeeded
}
