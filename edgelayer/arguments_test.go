package edgelayer_test

import (
	"context"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

type search struct {
	Words []string       `json:"words"`
	Limit int            `json:"limit,omitempty"`
	Boost map[string]any `json:"boost"`
	Deep  *struct {
		Level float64 `json:"level"`
		Exact bool
	} `json:"deep"`
	hidden int
	Never  int `json:"-"`
}

func searching(t *testing.T) *edge {
	return offering(t, edgelayer.Service{Name: "search", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("find", func(_ context.Context, in search) (int, error) { return in.Limit + in.hidden, nil }),
	}})
}

const searchShape = `{"words":[string],"limit":integer,"boost":{string:any},"deep":{"level":number,"Exact":boolean}}`

func TestArgumentsOfTheWrongShapeAreToldWhichIsExpected(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := searching(t).dialIn(codec, "")
		c := l.converse()
		for _, args := range []string{`{"words":"no list"}`, `{"limit":"many"}`, `{"lim":3}`, `{"Never":1}`, `"no struct"`, `{"deep":{"level":1,"wide":2}}`} {
			l.want("search.find", args, "ERROR invalid_argument arguments of search.find: …; expected "+searchShape)
			c.say(`[1,7,"search.find",` + args + `]`)
			got := c.hear()
			if len(got) != 1 || !wildcard.Match(got[0], `[4,7,"invalid_argument","arguments of search.find: …; expected `+strings.ReplaceAll(searchShape, `"`, `\"`)+`",false]`) {
				t.Errorf("%s: got %s", args, got)
			}
		}
		c.say(`[1,8,"search.find",{"limit":3,"words":["a"],"deep":{"level":1.5,"Exact":true}}]`)
		c.want(`[3,8,3]`)
	})
}

func TestACallThatIsTooLargeFailsAlone(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxMessage: 1000})
		l := e.dialIn(codec, "")
		large := `{"text":"` + strings.Repeat("l", 1100) + `"}`
		l.want("echo.say", large, "ERROR too_large a message of 11… bytes, at most 1000 are taken")
		c := l.converse(`[1,1,"echo.say",{"text":"before"}]`, `[1,2,"echo.say",`+large+`]`, `[1,3,"echo.say",{"text":"behind"}]`)
		want := map[string]bool{
			`[3,1,{"text":"before"}]`: true, `[3,3,{"text":"behind"}]`: true,
			`[4,2,"too_large","a message of 11… bytes, at most 1000 are taken",false]`: true,
		}
		for _, got := range c.hearAll(len(want)) { // beside each other, so in any order
			for pattern := range want {
				if wildcard.Match(got, pattern) {
					delete(want, pattern)
				}
			}
		}
		if len(want) > 0 {
			t.Errorf("not heard: %v", want)
		}
		c.say(`[1,2,"echo.say",{"text":"smaller"}]`)
		c.want(`[3,2,{"text":"smaller"}]`)
	})
}

func TestAResultThatIsTooLargeFailsTheCallAlone(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxMessage: 1000})
		l := e.dialIn(codec, "")
		l.want("echo.big", `{"n":1001}`, "ERROR too_large the result of echo.big takes 10… bytes, at most 1000 are sent")
		l.want("echo.big", `{"n":100000}`, "ERROR too_large the result of echo.big takes 1000… bytes, at most 1000 are sent")
		c := l.converse(`[1,1,"echo.big",{"n":100000}]`)
		c.want(`[4,1,"too_large","the result of echo.big takes 1000… bytes, at most 1000 are sent",false]`)
		c.say(`[1,2,"echo.big",{"n":3}]`)
		c.want(`[3,2,{"text":"bbb"}]`)
	})
}

// What an adapter would take for an attack is not sent to it: it would lose the
// whole conversation.
func TestAResultOfMoreElementsThanAPeerTakesFailsTheCallAlone(t *testing.T) {
	lists := edgelayer.Service{Name: "lists", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("zeros", func(_ context.Context, in number) ([]int, error) { return make([]int, in.N), nil }),
	}}
	l := offering(t, lists, echo()).dial("")
	l.want("lists.zeros", `{"n":131072}`, "ERROR too_large the result of lists.zeros is more than a peer takes: …")
	c := l.converse(`[1,1,"lists.zeros",{"n":131072}]`)
	c.want(`[4,1,"too_large","the result of lists.zeros is more than a peer takes: …",false]`)
	c.say(`[1,2,"echo.say",{"text":"on"}]`)
	c.want(`[3,2,{"text":"on"}]`)
}

// What is larger than a payload may be can't be sent: the call must fail all the same, and not
// stay unanswered.
func TestAnAnswerThatIsTooLargeFailsTheCallAlone(t *testing.T) {
	wordy := edgelayer.Service{Name: "wordy", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("fail", func(context.Context, struct{}) (text, error) {
			return text{}, protocol.Errorf(protocol.NotFound, "%s", strings.Repeat("no ", 1000))
		}),
	}}
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo(), wordy}, RSocket: rsocket.Config{MaxPayload: 600}})
		c := e.dialIn(codec, "").converse(`[1,1,"echo.big",{"n":1000}]`)
		c.want(`[4,1,"too_large","…",false]`)
		c.say(`[1,2,"wordy.fail",{}]`)
		c.want(`[4,2,"not_found","no no no …",false]`)
		c.say(`[1,3,"echo.say",{"text":"hi"}]`)
		c.want(`[3,3,{"text":"hi"}]`)
	})
}
