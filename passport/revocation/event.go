package revocation

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	maxEvent = 4 << 10
	maxID    = 256
)

// Event is what an account source tells: the account of a customer changed.
type Event struct {
	Customer string    // 1 to 256 bytes
	At       time.Time // by the account source's clock; zero if it does not say
}

// errEvent shows nothing of what was sent: it is about somebody.
var errEvent = errors.New(`revocation: not an account event: expected {"customer":"c-1001","at":1790000000000}, with 1 to 256 bytes and milliseconds since 1970, in at most 4096 bytes`)

// ParseEvent reads an event in JSON: {"customer":"c-1001","at":1790000000000}, in
// milliseconds since 1970. Without "at" it is of now; what else there is in it is
// passed over.
func ParseEvent(data []byte) (Event, error) {
	var e struct {
		Customer string `json:"customer"`
		At       int64  `json:"at"`
	}
	if len(data) > maxEvent || json.Unmarshal(data, &e) != nil || e.Customer == "" || len(e.Customer) > maxID || e.At < 0 {
		return Event{}, errEvent
	}
	event := Event{Customer: e.Customer}
	if e.At > 0 {
		event.At = time.UnixMilli(e.At)
	}
	return event, nil
}
