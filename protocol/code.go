package protocol

import "fmt"

// Code says what went wrong, for programs. On the wire it is its name in a
// failure message, and its number, from RSocket's range for applications, in an
// ERROR frame.
type Code uint32

// The codes, with what each tells the caller to do. Those marked "retry" are
// safe to try again: nothing was done.
const (
	// Unknown is a code that this side does not know, from a newer peer.
	Unknown Code = 0

	// Canceled: the caller gave up.
	Canceled Code = 0x301
	// DeadlineExceeded: the time budget was spent; work may have been done.
	DeadlineExceeded Code = 0x302
	// InvalidArgument: the arguments do not have the shape or range expected.
	InvalidArgument Code = 0x303
	// UnknownMethod: no such service or method among what this line resolved to.
	UnknownMethod Code = 0x304
	// Unauthenticated: the passport is missing, forged or expired; of a setup, who
	// dials is not proved.
	Unauthenticated Code = 0x305
	// Forbidden: the passport is good and does not allow this, or the peer that dialled
	// may not ask it.
	Forbidden Code = 0x306
	// NotFound: what the arguments name does not exist.
	NotFound Code = 0x307
	// TooLarge: a message is larger than its receiver takes.
	TooLarge Code = 0x308
	// Overloaded: refused before any work. Retry, elsewhere or later.
	Overloaded Code = 0x309
	// Unavailable: what is behind this failed or is cut off. Whether trying again
	// is safe is in [Error.Retry].
	Unavailable Code = 0x30A
	// Internal: a fault of the peer's code.
	Internal Code = 0x30B
	// Unsatisfied: no version on offer satisfies what is wanted.
	Unsatisfied Code = 0x30C
	// Unresolved: a reference in the arguments leads nowhere, or to a call that
	// failed. The call did not run.
	Unresolved Code = 0x30D
	// Uncertain: the line was lost before the answer came, and what the call writes
	// may have been written.
	Uncertain Code = 0x30E
)

var codeNames = map[Code]string{
	Unknown: "unknown", Canceled: "canceled", DeadlineExceeded: "deadline_exceeded",
	InvalidArgument: "invalid_argument", UnknownMethod: "unknown_method",
	Unauthenticated: "unauthenticated", Forbidden: "forbidden", NotFound: "not_found",
	TooLarge: "too_large", Overloaded: "overloaded", Unavailable: "unavailable",
	Internal: "internal", Unsatisfied: "unsatisfied", Unresolved: "unresolved", Uncertain: "uncertain",
}

var codesByName = func() map[string]Code {
	m := make(map[string]Code, len(codeNames))
	for c, name := range codeNames {
		m[name] = c
	}
	return m
}()

// String is the code's name, as failure messages carry it.
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("code 0x%X", uint32(c))
}

// CodeNamed returns the code of that name, [Unknown] if there is none.
func CodeNamed(name string) Code { return codesByName[name] }

// MarshalText writes the name.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name; one that is not known is [Unknown].
func (c *Code) UnmarshalText(b []byte) error {
	*c = CodeNamed(string(b))
	return nil
}
