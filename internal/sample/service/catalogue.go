package service

// VideosByID are the arguments of catalogue.videos, in both versions.
type VideosByID struct {
	IDs []int `json:"ids"` // at most 200
}

// Video1 is a film as catalogue 1 has it.
type Video1 struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Year  int    `json:"year"`
}

// Videos1 is what catalogue.videos 1 answers, in the order asked; ids that are
// not in the catalogue are left out.
type Videos1 struct {
	Videos []Video1 `json:"videos"`
	Gaps
}

// Video2 is a film as catalogue 2 has it: "released" was "year".
type Video2 struct {
	ID       int    `json:"id"`
	Title    string `json:"title"`
	Released int    `json:"released"`
	Director string `json:"director"`
	Minutes  int    `json:"minutes"`
	Country  string `json:"country"`
	Genre    string `json:"genre"`
}

// Videos2 is what catalogue.videos 2 answers.
type Videos2 struct {
	Videos []Video2 `json:"videos"`
	Gaps
}
