package service

// ForProfile are the arguments of recommendations.forProfile.
type ForProfile struct {
	Limit int `json:"limit"` // default 20, 1 to 100
}

// Recommendations is what it answers, best first.
type Recommendations struct {
	Items []Recommendation `json:"items"`
}

// Recommendation is one film and why.
type Recommendation struct {
	ID     int     `json:"id"`
	Score  float64 `json:"score"`
	Reason string  `json:"reason"`
}
