package edgelayer_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/logged"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol/rsocket"
)

func TestAMethodThatPanicsFailsItsCallAlone(t *testing.T) {
	g, gates := newGate(t)
	log := &logged.Log{}
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, Log: zerolog.New(log)})
	l := e.dial("")
	c := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	c.say(`[1,2,"echo.panic",{}]`)
	c.want(`[4,2,"internal","echo.panic failed unexpectedly",false]`)
	l.want("echo.panic", "", "ERROR internal echo.panic failed unexpectedly")
	c.say(`[1,3,"echo.say",{"text":"on"}]`)
	c.want(`[3,3,{"text":"on"}]`)
	g.letGo(1)
	c.want(`[3,1,{"n":1}]`)
	if text := log.String(); strings.Count(text, `"panic":"secret of the panic"`) != 2 || !strings.Contains(text, `"method":"echo.panic"`) || !strings.Contains(text, "services_test.go") {
		t.Errorf("log: %s", text)
	}
}

func TestOneCallMoreThanMaxCallsIsOverloaded(t *testing.T) {
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxCalls: 3})
	l := e.dial("")
	c := l.converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"gate.wait",{"n":2}]`, `[1,3,"gate.wait",{"n":3}]`, `[1,4,"gate.wait",{"n":4}]`)
	c.want(`[4,4,"overloaded","3 calls of this conversation are running already",true]`)
	g.wantEntered(t, 3)
	l.converse(`[1,1,"echo.say",{"text":"other"}]`).want(`[3,1,{"text":"other"}]`) // the bound is a conversation's
	g.letGo(2)
	c.want(`[3,2,{"n":2}]`)
	c.askUntilAdmitted()
	if n := len(g.entered); n != 0 {
		t.Errorf("%d calls ran that were refused", n)
	}
}

func TestMaxCallsIs64ByDefault(t *testing.T) {
	g, gates := newGate(t)
	c := offering(t, gates).dial("").converse()
	for id := range 64 {
		c.say(`[1,` + strconv.Itoa(id) + `,"gate.wait",{"n":1}]`)
	}
	g.wantEntered(t, 64)
	c.say(`[1,65,"gate.wait",{"n":1}]`)
	c.want(`[4,65,"overloaded","64 calls of this conversation are running already",true]`)
}

func TestPlacesAreGivenBack(t *testing.T) {
	c := offering(t, echo()).dial("").converse()
	for range 300 { // far more than may run or wait at once, all under one id
		c.say(`[1,1,"echo.say",{"text":"hi"}]`)
		c.want(`[3,1,{"text":"hi"}]`)
	}
}

// An adapter that does not read makes the edge keep a bounded number of answers,
// and when it reads at last it hears of every call.
func TestAnswersThatNobodyReadsTakePlacesToo(t *testing.T) {
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxCalls: 2})
	l := e.dialBy(rsocket.Config{Window: 1}) // takes one answer at a time
	c := l.converse()
	const calls = 20
	for id := range calls {
		c.say(`[1,` + strconv.Itoa(id) + `,"echo.say",{"text":""}]`)
	}
	answered, overloaded := map[string]bool{}, 0
	for _, got := range c.hearAll(calls) {
		kind, rest, _ := strings.Cut(got, ",")
		id, _, _ := strings.Cut(rest, ",")
		answered[id] = true
		if kind == "[4" {
			overloaded++
			if !wildcard.Match(got, "[4,"+id+`,"overloaded","2 calls of this conversation are running already",true]`) {
				t.Errorf("heard %s", got)
			}
		}
	}
	if len(answered) != calls || overloaded == 0 {
		t.Errorf("%d of %d calls were answered, %d as overloaded", len(answered), calls, overloaded)
	}
}

func TestAnIDInUseEndsItsConversationAlone(t *testing.T) {
	g, gates := newGate(t)
	l := offering(t, gates, echo()).dial("")
	other := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	c := l.converse(`[1,1,"gate.wait",{"n":2}]`)
	g.wantEntered(t, 2)
	c.say(`[1,1,"echo.say",{}]`)
	c.want("ERROR invalid_argument call id 1 is in use")
	g.wantEnded(t, 1, canceled)
	g.letGo(1)
	other.want(`[3,1,{"n":1}]`)
	l.want("echo.say", `{"text":"on"}`, `{"text":"on"}`)
}
