package service

// ObjectOf are the arguments of accounts.object.
type ObjectOf struct {
	SHA256 string `json:"sha256"` // 64 hexadecimal digits in lower case
}

// Object is what it answers: a value that a passport has a reference to.
type Object struct {
	Value string `json:"value"`
}

// SignIn are the arguments of accounts.signIn.
type SignIn struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Profile  string `json:"profile,omitempty"` // default: the one with that address
}

// Account is what it answers.
type Account struct {
	Customer string `json:"customer"`
	Profile  string `json:"profile"`
	Plan     string `json:"plan"`
	Country  string `json:"country"`
}
