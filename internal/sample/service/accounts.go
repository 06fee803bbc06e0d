package service

// ObjectOf are the arguments of accounts.object.
type ObjectOf struct {
	SHA256 string `json:"sha256"` // 64 hexadecimal digits in lower case
}

// Object is what it answers: a value that a passport has a reference to.
type Object struct {
	Value string `json:"value"`
}
