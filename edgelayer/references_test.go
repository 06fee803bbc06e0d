package edgelayer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
)

type ids struct {
	IDs []int `json:"ids"`
}

type list struct {
	Items []item `json:"items"`
}

type item struct {
	ID   int    `json:"id"`
	Name string `json:"name,omitempty"`
}

// shop is a service whose methods feed each other.
func shop() edgelayer.Service {
	return edgelayer.Service{Name: "shop", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("items", func(context.Context, struct{}) (list, error) {
			return list{[]item{{ID: 17}, {ID: 18}, {ID: 3}}}, nil
		}),
		edgelayer.NewMethod("names", func(_ context.Context, in ids) (list, error) {
			var out list
			for _, id := range in.IDs {
				out.Items = append(out.Items, item{id, fmt.Sprint("item ", id)})
			}
			return out, nil
		}),
		edgelayer.NewMethod("sum", func(_ context.Context, in ids) (int, error) {
			sum := 0
			for _, id := range in.IDs {
				sum += id
			}
			return sum, nil
		}),
		edgelayer.NewMethod("plus", func(_ context.Context, in struct {
			A, B int
		},
		) (int, error) {
			return in.A + in.B, nil
		}),
		edgelayer.NewMethod("closed", func(context.Context, struct{}) (list, error) {
			return list{}, protocol.Errorf(protocol.Unavailable, "closed on Sundays").Retryable()
		}),
	}}
}

func TestAChainOfCallsInOnePayload(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := offering(t, shop())
		c := e.dialIn(codec, "").converse(
			`[1,1,"shop.items",null,{"keep":true}]`,
			`[1,2,"shop.names",{"ids":{"$ref":[1,"items",null,"id"]}},{"refs":true,"keep":true}]`,
			`[1,3,"shop.sum",{"ids":[{"$ref":[1,"items",0,"id"]},1000,{"$ref":[2,"items",2,"id"]}]},{"refs":true}]`,
		)
		got := c.hearAll(3) // in the order in which they are ready
		slices.Sort(got)
		want := []string{
			`[3,1,{"items":[{"id":17},{"id":18},{"id":3}]}]`,
			`[3,2,{"items":[{"id":17,"name":"item 17"},{"id":18,"name":"item 18"},{"id":3,"name":"item 3"}]}]`,
			`[3,3,1020]`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %s", got)
		}
		c.say(`[1,4,"shop.sum",{"ids":{"$ref":[2,"items",null,"id"]}},{"refs":true}]`) // long after
		c.want(`[3,4,38]`)
		if got := e.Stats().References; got != 4 {
			t.Errorf("%d references resolved, want 4", got)
		}
	})
}

func TestACallWaitsForTheCallsItRefersTo(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates, shop(), echo())
	c := e.dial("").converse(
		`[1,1,"gate.wait",{"n":1},{"keep":true}]`,
		`[1,2,"shop.sum",{"ids":[{"$ref":[1,"n"]}]},{"refs":true}]`,
		`[1,3,"echo.say",{"text":"after"},{"after":[1]}]`,
		`[1,4,"echo.say",{"text":"not behind the others"}]`,
	)
	c.want(`[3,4,{"text":"not behind the others"}]`)
	g.wantEntered(t, 1)
	g.letGo(1)
	got := c.hearAll(3)
	slices.Sort(got)
	if want := []string{`[3,1,{"n":1}]`, `[3,2,1]`, `[3,3,{"text":"after"}]`}; !slices.Equal(got, want) {
		t.Errorf("got %s", got)
	}
}

func TestWhatCantBeResolvedFailsTheCallAlone(t *testing.T) {
	for name, tc := range map[string]struct{ call, answer string }{
		"a missing key":            {`{"ids":{"$ref":[1,"itmes"]}},{"refs":true}`, `"unresolved","call 1: itmes: no such key",false]`},
		"a missing key in one":     {`{"ids":{"$ref":[1,"items",null,"name"]}},{"refs":true}`, `"unresolved","call 1: items[0].name: no such key",false]`},
		"a wrong type":             {`{"ids":{"$ref":[1,null,"id"]}},{"refs":true}`, `"unresolved","call 1: [*]: not a list",false]`},
		"a value that fits not":    {`{"ids":{"$ref":[1,"items"]}},{"refs":true}`, `"invalid_argument","arguments of shop.sum: …; expected {\"ids\":[integer]}",false]`},
		"a failed call":            {`{"ids":{"$ref":[2,"items",null,"id"]}},{"refs":true}`, `"unresolved","call 2 (shop.closed) failed: unavailable: closed on Sundays",true]`},
		"a call that has not come": {`{"ids":{"$ref":[10]}},{"refs":true}`, `"unresolved","call 10: it has not come, or its result was not to be kept",false]`},
		"a call that was not kept": {`{"ids":{"$ref":[3]}},{"refs":true}`, `"unresolved","call 3: it has not come, or its result was not to be kept",false]`},
		"itself":                   {`{"ids":{"$ref":[9]}},{"refs":true}`, `"unresolved","call 9: it has not come, or its result was not to be kept",false]`},
		"behind a failed call":     {`null,{"after":[2]}`, `"unresolved","call 2 (shop.closed) failed: unavailable: closed on Sundays",true]`},
		"no reference":             {`{"ids":[{"$ref":[1,true]}]},{"refs":true}`, `"invalid_argument",…`},
		"without saying so":        {`{"ids":{"$ref":[1,"items",null,"id"]}}`, `"invalid_argument","arguments of shop.sum: …`},
	} {
		t.Run(name, func(t *testing.T) {
			codec := protocol.JSON // in which a test can say what is no reference
			c := offering(t, shop()).dialIn(codec, "").converse(`[1,1,"shop.items",null,{"keep":true}]`)
			c.want(`[3,1,…`)
			c.say(`[1,2,"shop.closed",null,{"keep":true}]`)
			c.want(`[4,2,"unavailable","closed on Sundays",true]`)
			c.say(`[1,3,"shop.items",null]`)
			c.want(`[3,3,…`)
			c.say(`[1,9,"shop.sum",` + tc.call + `]`)
			c.want(`[4,9,` + tc.answer)
			c.say(`[1,10,"shop.sum",{"ids":{"$ref":[1,"items",null,"id"]}},{"refs":true}]`)
			c.want(`[3,10,38]`)
		})
	}
}

func TestTheIdOfACallThatIsKeptIsInUse(t *testing.T) {
	c := offering(t, shop()).dial("").converse(`[1,1,"shop.items",null,{"keep":true}]`)
	c.want(`[3,1,…`)
	c.say(`[1,1,"shop.items",null]`)
	c.want("ERROR invalid_argument call id 1 is in use")
}

func TestChainsAreBounded(t *testing.T) {
	g, gates := newGate(t)
	c := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxCalls: 200}).dial("").converse(`[1,0,"gate.wait",{"n":0}]`)
	var chain []string
	for i := 1; i <= 33; i++ { // each behind the one before
		chain = append(chain, fmt.Sprintf(`[1,%d,"echo.say",{},{"after":[%d]}]`, i, i-1))
	}
	c.say(chain...)
	c.want(`[4,33,"too_large","it waits for call 32, which is the last of 32 that wait for one another",false]`)
	chain = nil
	var all []string
	for i := 100; i < 165; i++ {
		chain = append(chain, fmt.Sprintf(`[1,%d,"echo.say",{},{"after":[0]}]`, i))
		all = append(all, fmt.Sprint(i))
	}
	c.say(append(chain, fmt.Sprintf(`[1,200,"echo.say",{},{"after":[%s]}]`, strings.Join(all, ",")))...)
	c.want(`[4,200,"too_large","it waits for more than 64 calls",false]`)
	g.letGo(0)
	for _, got := range c.hearAll(1 + 32 + 65) {
		if !wildcard.Match(got, `[3,…`) {
			t.Errorf("got %s, want a reply", got)
		}
	}
}

func TestACancelledCallFailsThoseThatWaitForIt(t *testing.T) {
	g, gates := newGate(t)
	c := offering(t, gates, echo()).dial("").converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"echo.say",{},{"after":[1]}]`)
	g.wantEntered(t, 1)
	c.say(`[2,1]`)
	c.want(`[4,2,"unresolved","call 1 (gate.wait) failed: canceled: context canceled",false]`)
}
