package service

// Member is what the methods of members answer.
type Member struct {
	Plan    string `json:"plan"`
	Streams int    `json:"streams"`
}

// ChangePlan are the arguments of members.change.
type ChangePlan struct {
	Plan string `json:"plan"`
}
