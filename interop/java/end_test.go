package java

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// end is one end of a connection, whichever library plays it. Both run the same
// scenarios as requesters, and answer the same words as responders; see
// peer/src/main/java/peer, Script, Answer and Responder.
type end interface {
	start(scenario string, s script) *pending
	seen(t *testing.T, what string, count int) []event // waits for so many
	sent(t *testing.T) int                             // items on streams and channels
	openGate(t *testing.T)
	close(t *testing.T) // goes away at once
}

// run runs a scenario to its end.
func run(t *testing.T, e end, scenario string, s script) answer {
	t.Helper()
	return e.start(scenario, s).wait(t)
}

// want runs a scenario and compares what came of it.
func want(t *testing.T, e end, scenario string, s script, what string) {
	t.Helper()
	if got := run(t, e, scenario, s).String(); got != what {
		t.Errorf("%s %s:\n got %s\nwant %s", scenario, s, got, what)
	}
}

// script is what a requester does.
type script struct {
	Data      string  `json:"data"`
	Metadata  *string `json:"metadata,omitempty"`
	Composite []entry `json:"composite,omitempty"` // the metadata, written by the library
	Times     int     `json:"times,omitempty"`     // so many at once, numbered
	Credit    []int   `json:"credit,omitempty"`    // asked for step by step (rsocket-java only)
	Take      int     `json:"take,omitempty"`      // cancel behind so many items
	Send      int     `json:"send,omitempty"`      // items behind a channel's first
	Slowly    bool    `json:"slowly,omitempty"`    // takes its time between them
	SendAtEnd bool    `json:"sendAtEnd,omitempty"` // when the other half has ended
	Then      string  `json:"then,omitempty"`      // complete, fail (rsocket-java only), never

	What  string `json:"what,omitempty"` // for seen
	Count int    `json:"count,omitempty"`
}

func (s script) String() string {
	b, err := json.Marshal(s)
	return string(b) + errorText(err)
}

// message is a payload; long ones are described, see describe.
type message struct {
	Metadata *string `json:"metadata"`
	Data     string  `json:"data"`
}

func (m message) String() string {
	if m.Metadata == nil {
		return m.Data
	}
	return m.Data + "+" + *m.Metadata
}

// answer is what a scenario came to.
type answer struct {
	ID      int64     `json:"id"`
	On      int64     `json:"on"`
	Port    int       `json:"port"`
	Items   []message `json:"items"`
	Counts  []int     `json:"counts"`
	End     string    `json:"end"`
	SendEnd string    `json:"sendEnd"`
	Sent    int       `json:"sent"`
	Code    uint32    `json:"code"`
	Text    string    `json:"text"`
	All     []answer  `json:"all"`
	Events  []event   `json:"events"`
}

// event is what a handler saw.
type event struct {
	What    string  `json:"what"`
	Message message `json:"message"`
	Code    uint32  `json:"code"`
	Text    string  `json:"text"`
}

func failed(text string) answer { return answer{End: "error", Text: text} }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}

// String is "item, item: end", with the end of a channel's other half behind it.
func (a answer) String() string {
	if a.All != nil {
		return lines(a.All)
	}
	var items []string
	for _, m := range a.Items {
		items = append(items, m.String())
	}
	s := strings.Join(items, ", ") + ": " + a.End
	if a.End == "error" {
		s += fmt.Sprintf(" 0x%X %s", a.Code, a.Text)
	}
	if a.SendEnd != "" {
		s += "; sending: " + a.SendEnd
	}
	return s
}

func (e event) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", e.What, e.Message))
}

func lines[T fmt.Stringer](all []T) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(v.String() + "\n")
	}
	return b.String()
}

// items is "prefix 0, prefix 1, …" up to n items.
func items(prefix string, from, n int) string {
	var all []string
	for i := from; i < from+n; i++ {
		all = append(all, fmt.Sprint(prefix, " ", i))
	}
	return strings.Join(all, ", ")
}

func about(metadata string) *string { return &metadata }
