package service

// Profile is what profiles.current answers.
type Profile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language"`
}
