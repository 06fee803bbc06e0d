package admin

// IsFor is tried without a listener: no machine has a name that tests could count on.
var IsFor = isFor
