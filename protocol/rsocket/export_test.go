package rsocket

// ListenAt is for the suite, which imports this package.
var ListenAt = listen
