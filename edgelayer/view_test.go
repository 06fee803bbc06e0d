package edgelayer_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// shelf is a service whose answers tell how often its methods ran.
type shelf struct{ runs atomic.Int64 }

func newShelf() (*shelf, edgelayer.Service) {
	s := &shelf{}
	count := func(context.Context, text) (string, error) { return fmt.Sprint("run ", s.runs.Add(1)), nil }
	return s, edgelayer.Service{Name: "shelf", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("read", count, edgelayer.Reads()),
		edgelayer.NewMethod("other", count, edgelayer.Reads()),
		edgelayer.NewMethod("undeclared", count),
		edgelayer.NewMethod("whose", func(ctx context.Context, in text) (string, error) {
			p, err := edgelayer.Passport(ctx)
			run, _ := count(ctx, in)
			return p.Profile + " " + run, err
		}, edgelayer.Reads()),
		edgelayer.NewMethod("write", func(context.Context, struct{}) (bool, error) { return true, nil }),
		edgelayer.NewMethod("fail", func(ctx context.Context, in text) (string, error) {
			run, _ := count(ctx, in)
			return "", protocol.Errorf(protocol.Unavailable, "%s", run)
		}, edgelayer.Reads()),
		edgelayer.NewMethod("big", func(_ context.Context, in number) (string, error) { return strings.Repeat("b", in.N), nil }, edgelayer.Reads()),
	}}
}

// desk is a service that writes to the shelf.
func desk() edgelayer.Service {
	return edgelayer.Service{Name: "desk", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("tidy", func(context.Context, struct{}) (bool, error) { return true, nil }),
		edgelayer.NewMethod("shelve", func(context.Context, struct{}) (bool, error) { return true, nil }, edgelayer.Changes("shelf")),
	}}
}

func TestReadsRepeat(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		_, service := newShelf()
		e := offering(t, service, desk())
		l := e.dialIn(codec, "")
		c := l.converse()
		id := 0
		ask := func(method, args, how, answer string) {
			t.Helper()
			id++
			if how != "" {
				how = "," + how
			}
			c.say(fmt.Sprintf(`[1,%d,%q,%s%s]`, id, method, args, how))
			c.want(fmt.Sprintf(`[3,%d,%s]`, id, answer))
		}
		ask("shelf.read", `{"text":"a"}`, "", `"run 1"`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 1",{"view":true}`)
		ask("shelf.read", `{"text":"b"}`, "", `"run 2"`)
		ask("shelf.other", `{"text":"a"}`, "", `"run 3"`)
		ask("shelf.read", `{"text":"a"}`, `{"fresh":true}`, `"run 4"`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 4",{"view":true}`)
		ask("desk.tidy", "null", "", `true`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 4",{"view":true}`)
		ask("shelf.write", "null", "", `true`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 5"`)
		ask("desk.shelve", "null", "", `true`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 6"`)
		ask("shelf.undeclared", "null", "", `"run 7"`)
		ask("shelf.undeclared", "null", "", `"run 8"`)
		ask("shelf.read", `{"text":"a"}`, "", `"run 9"`) // what is not declared may have written
		if got := e.Stats().ViewHits; got != 3 {
			t.Errorf("%d view hits, want 3", got)
		}
		l.converse(`[1,1,"shelf.read",{"text":"a"}]`).want(`[3,1,"run 10"]`) // another conversation has its own
	})
}

func TestAReadThatFailedIsNotKept(t *testing.T) {
	_, service := newShelf()
	c := offering(t, service).dial("").converse(`[1,1,"shelf.fail",null]`)
	c.want(`[4,1,"unavailable","run 1",false]`)
	c.say(`[1,2,"shelf.fail",null]`)
	c.want(`[4,2,"unavailable","run 2",false]`)
}

func TestAChangedPassportOutdatesWhatLookedAtIt(t *testing.T) {
	keys := newKeys(t)
	_, service := newShelf()
	_, members := newMembers()
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{service, members}, Keys: keys})
	c := e.dial("").converseWith(carrying(sealed(t, keys, func(p *passport.Passport) { p.Profile = "ann" })))
	for i, tc := range []struct{ call, answer string }{
		{`"shelf.whose",null`, `"ann run 1"`},
		{`"shelf.read",null`, `"run 2"`},
		{`"shelf.whose",null`, `"ann run 1",{"view":true}`},
		{`"members.choose",{"profile":"bob"}`, ``},
		{`"shelf.whose",null`, `"bob run 3"`},
		{`"shelf.read",null`, `"run 2",{"view":true}`},
		{`"shelf.whose",null`, `"bob run 3",{"view":true}`},
	} {
		c.say(fmt.Sprintf("[1,%d,%s]", i, tc.call))
		if tc.answer == "" {
			c.hear()
			continue
		}
		c.want(fmt.Sprintf("[3,%d,%s]", i, tc.answer))
	}
}

func TestTheSameAtTheSameTimeIsOneRun(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates)

	t.Run("both are answered", func(t *testing.T) {
		c := e.dial("").converse(`[1,1,"gate.read",{"n":1}]`, `[1,2,"gate.read",{"n":1}]`)
		g.wantEntered(t, 1)
		g.letGo(1)
		got := strings.Join(c.hearAll(2), " ")
		if got != `[3,1,{"n":1}] [3,2,{"n":1},{"view":true}]` && got != `[3,2,{"n":1}] [3,1,{"n":1},{"view":true}]` &&
			got != `[3,2,{"n":1},{"view":true}] [3,1,{"n":1}]` && got != `[3,1,{"n":1},{"view":true}] [3,2,{"n":1}]` {
			t.Error(got)
		}
		if len(g.entered) > 0 {
			t.Error("it ran twice")
		}
	})

	t.Run("the other goes on when one gives up", func(t *testing.T) {
		c := e.dial("").converse(`[1,1,"gate.read",{"n":2}]`)
		g.wantEntered(t, 1)
		c.say(`[1,2,"gate.read",{"n":2}]`)
		c.say(`[2,1]`)
		g.wantEnded(t, 1, canceled)
		g.wantEntered(t, 1) // by the second
		g.letGo(2)
		c.want(`[3,2,{"n":2}]`)
	})
}

func TestAReadThatAWriteOvertakesIsNotKept(t *testing.T) {
	g, gates := newGate(t)
	c := offering(t, gates).dial("").converse(`[1,1,"gate.read",{"n":1}]`)
	g.wantEntered(t, 1)
	c.say(`[1,2,"gate.hold",{"n":2}]`)
	g.wantEntered(t, 1)
	g.letGo(2)
	c.want(`[3,2,{"n":2}]`)
	g.letGo(1)
	c.want(`[3,1,{"n":1}]`) // as it was when it was asked
	c.say(`[1,3,"gate.read",{"n":1}]`)
	c.want(`[3,3,{"n":1}]`) // another run
}

func TestWhatAConversationHoldsIsBounded(t *testing.T) {
	_, service := newShelf()
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{service}, MaxView: 10_000})
	const full = `"too_large","what this conversation has read, and what its calls may refer to, would take more than 10000 bytes",false]`
	c := e.dial("").converse(`[1,1,"shelf.big",{"n":4000}]`)
	c.want(`[3,1,…`)
	c.say(`[1,2,"shelf.big",{"n":4001}]`)
	c.want(`[3,2,…`)
	c.say(`[1,3,"shelf.big",{"n":4002}]`)
	c.want(`[4,3,` + full)
	c.say(`[1,4,"shelf.undeclared",null,{"keep":true}]`) // small, and outdates what is held
	c.want(`[3,4,"run 1"]`)
	c.say(`[1,5,"shelf.big",{"n":4003}]`)
	c.want(`[3,5,…`)
	for i := 6; ; i++ {
		c.say(fmt.Sprintf(`[1,%d,"shelf.write",null,{"keep":true}]`, i))
		if got := c.hear()[0]; strings.HasPrefix(got, "[4") {
			if want := fmt.Sprintf("[4,%d,%s", i, full); got != want || i < 20 {
				t.Errorf("got %s, want %s", got, want)
			}
			break
		}
	}
	await.Until(t, "the next conversation to begin with nothing", func() bool {
		return strings.HasPrefix(e.dial("").converse(`[1,1,"shelf.big",{"n":9000}]`).hear()[0], "[3,1")
	})
}
