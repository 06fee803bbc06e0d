package service

// Gaps stand beside a list of which some could not be read.
type Gaps struct {
	Errors []Gap `json:"errors,omitempty"`
}

// Gap is one that could not be read, and why.
type Gap struct {
	Key     any    `json:"key"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Retry   bool   `json:"retry"`
}

// Partial reports whether there are any.
func (g Gaps) Partial() bool { return len(g.Errors) > 0 }
