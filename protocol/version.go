package protocol

// Version is the version of the Warmline protocol that this package speaks.
const Version = "1.0.0"

// Range is what a client of this package says in [Hello.Protocol].
const Range = "^1.0"

// The routes that Warmline itself answers. A service can't be named "warmline".
const (
	// RouteSetup is the request-response that returns the [Welcome] of the line.
	RouteSetup = "warmline.setup"
	// RouteConversation is the request-channel that is a conversation.
	RouteConversation = "warmline.conversation"
	// RouteDevice is the request-response by which a gateway sends an adapter a
	// [DeviceRequest]; the answer is a [DeviceResponse].
	RouteDevice = "warmline.device"
)
