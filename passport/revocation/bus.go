package revocation

import (
	"context"
	"time"
)

// What messages are published under.
const (
	// ChangeSubject is heard by every gateway: changes as they come, beats every 10
	// seconds and where one asks.
	ChangeSubject = "warmline.revocation.change"
	// SnapshotSubject is heard by who is not complete: all there is, every minute and
	// where one asks.
	SnapshotSubject = "warmline.revocation.snapshot"
	// AskSubject is heard by publishers.
	AskSubject = "warmline.revocation.ask"
)

// patience is how long the bus may take to take a message.
const patience = time.Second

// Bus is what carries messages. It may lose any of them, and says so.
type Bus interface {
	// Publish returns when the bus has the message, or with why it may not. It must
	// end with ctx, and may not keep data.
	Publish(ctx context.Context, subject string, data []byte) error

	// Subscribe has take called with each message of a subject, one at a time, and gap
	// when some may have been missed: the first time when the subscription is in force,
	// and each time when it is again. The two never run at once. What end returns from
	// has ended; neither of them may call it.
	Subscribe(subject string, take func(data []byte), gap func()) (end func(), err error)
}
