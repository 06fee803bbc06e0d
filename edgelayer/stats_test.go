package edgelayer_test

import (
	"encoding/json"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

func TestStats(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		src, err := source.New(source.Config{Name: "ratings", URLs: []string{"http://127.0.0.1:9"}})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		g, gates := newGate(t)
		e := start(t, edgelayer.Config{
			Name: "east", Version: "7.0.1", Services: []edgelayer.Service{gates, echo(), catalogue("1.4.2"), catalogue("2.1.3")},
			Figures: func() (map[string]warm.Stats, map[string]source.Stats) {
				return map[string]warm.Stats{"films": {Entries: 3, Hits: 20, Misses: 4}}, map[string]source.Stats{"ratings": src.Stats()}
			},
		})
		l := e.dialIn(codec, `{"wants":{"echo":"^1","gate":"^1"}}`)
		other := e.dialIn(codec, "")
		other.want(protocol.RouteSetup, "", "…") // the line stands, and this is no call
		l.want("echo.say", "", `{"text":""}`)
		l.want("echo.missing", "", "ERROR not_found …")
		l.want("echo.nothing", "", "ERROR unknown_method …")
		c := l.converse(`[1,1,"echo.plain",{}]`)
		c.want(`[4,1,"internal","it broke",false]`)
		c.say(`[1,2,"gate.wait",{"n":1}]`)
		g.wantEntered(t, 1)

		var got edgelayer.Stats
		if err := json.Unmarshal([]byte(l.ask(protocol.Metadata{Route: "edge.stats"}, "")), &got); err != nil {
			t.Fatal(err)
		}
		if got.Uptime == "" {
			t.Error("no uptime")
		}
		if got.AtOnce == 0 {
			t.Error("no limit")
		}
		got.Uptime, got.AtOnce = "", 0
		text, _ := json.Marshal(got)
		if want := `{"name":"east","version":"7.0.1","uptime":"","lines":2,"conversations":1,"calls":6,"failures":3,"references":0,"view_hits":0,"refused":0,"peers":{"unauthenticated":0,"forbidden":0},"at_once":0,` +
			`"services":{"catalogue":["2.1.3","1.4.2"],"echo":["1.0.0"],"edge":["1.0.0"],"gate":["1.0.0"]},` +
			`"caches":{"films":{"entries":3,"bytes":0,"max_bytes":0,"hits":20,"misses":4,"stale":0,"fallbacks":0,"loads":0,"failures":0,` +
			`"refreshes":0,"evictions":0,"dropped":0,"taken_over":0,"load_p50_ms":0,"load_p99_ms":0,"load_sum_ms":0,"age_s":0}},` +
			`"sources":{"ratings":{"requests":0,"failures":0,"refused":{"limit":0,"breaker":0},` +
			`"attempts":0,"failed":{"timeout":0,"unreachable":0,"cut_off":0,"status":0,"garbage":0,"too_large":0},` +
			`"retries":0,"hedges":0,"hedges_won":0,"missed":{"budget":0,"limit":0},` +
			`"in_flight":0,"limit":64,"breaker":"closed","budget":10,"resting":0,"p50_ms":0,"p95_ms":0}}}`; string(text) != want {
			t.Errorf("edge.stats\n got %s\nwant %s", text, want)
		}

		g.letGo(1)
		c.want(`[3,2,{"n":1}]`)
		if err := c.ch.CloseSend(); err != nil {
			t.Fatal(err)
		}
		c.want("COMPLETE")
		_ = other.conn.Close()
		await.Until(t, "one line and no conversation to be left", func() bool {
			st := e.Stats()
			return st.Lines == 1 && st.Conversations == 0
		})
	})
}
