package frame

import "fmt"

// ErrorCode is the code of an ERROR frame (specification, "Error Codes").
type ErrorCode uint32

// The codes of RSocket 1.0. An application's own lie from [CodeCustomMin] to
// [CodeCustomMax].
const (
	CodeInvalidSetup     ErrorCode = 0x00000001 // the SETUP frame makes no sense
	CodeUnsupportedSetup ErrorCode = 0x00000002 // it asks for what the server can't do
	CodeRejectedSetup    ErrorCode = 0x00000003 // the server does not want this client
	CodeRejectedResume   ErrorCode = 0x00000004 // the server can't resume
	CodeConnectionError  ErrorCode = 0x00000101 // the connection is broken and ends now
	CodeConnectionClose  ErrorCode = 0x00000102 // it ends after what is under way
	CodeApplication      ErrorCode = 0x00000201 // the responder's application failed
	CodeRejected         ErrorCode = 0x00000202 // refused before any work: safe to try again
	CodeCanceled         ErrorCode = 0x00000203 // given up by the responder, work may have begun
	CodeInvalid          ErrorCode = 0x00000204 // the request makes no sense
	CodeCustomMin        ErrorCode = 0x00000301
	CodeCustomMax        ErrorCode = 0xFFFFFFFE
)

// String is the specification's name for the code, or its number.
func (c ErrorCode) String() string {
	switch c {
	case CodeInvalidSetup:
		return "INVALID_SETUP"
	case CodeUnsupportedSetup:
		return "UNSUPPORTED_SETUP"
	case CodeRejectedSetup:
		return "REJECTED_SETUP"
	case CodeRejectedResume:
		return "REJECTED_RESUME"
	case CodeConnectionError:
		return "CONNECTION_ERROR"
	case CodeConnectionClose:
		return "CONNECTION_CLOSE"
	case CodeApplication:
		return "APPLICATION_ERROR"
	case CodeRejected:
		return "REJECTED"
	case CodeCanceled:
		return "CANCELED"
	case CodeInvalid:
		return "INVALID"
	}
	return fmt.Sprintf("0x%X", uint32(c))
}

// ForStream reports whether the code may stand in an ERROR on a stream; the
// others belong on stream 0.
func (c ErrorCode) ForStream() bool { return c >= CodeApplication && c <= CodeCustomMax }
