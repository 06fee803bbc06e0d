package rsocket

// What the suite, which imports this package, needs of its tests.
var (
	ListenAt  = listen
	ClientTLS = clientTLS
)
