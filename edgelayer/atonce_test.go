package edgelayer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// files is a service that answers at once what lies on it, and fetches the rest. Its
// answers tell how often it has done either.
type files struct {
	looked, fetched atomic.Int64
	gate            chan struct{} // nil, or closed when files are fetched
}

func newFiles() (*files, edgelayer.Service) {
	f := &files{}
	return f, edgelayer.Service{Name: "files", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("read", f.fetch, edgelayer.Reads(), edgelayer.AtOnce(f.look)),
		edgelayer.NewMethod("mine", f.fetch, edgelayer.Reads(), edgelayer.AtOnce(f.look), edgelayer.NeedsPassport(passport.Recognised)),
		edgelayer.NewMethod("file", func(context.Context, text) (bool, error) { return true, nil }),
	}}
}

func (f *files) fetch(ctx context.Context, in text) (string, error) {
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return fmt.Sprintf("%s fetched %d", in.Text, f.fetched.Add(1)), nil
}

func (f *files) look(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, bool, error) {
	var in text
	if err := codec.UnmarshalStrict(args, &in); err != nil {
		return nil, true, edgelayer.WrongArguments(errors.New("no text"))
	}
	n := f.looked.Add(1)
	switch what, rest, _ := strings.Cut(in.Text, " "); what {
	case "far":
		return nil, false, nil
	case "broken":
		size, _ := strconv.Atoi(rest)
		return nil, true, protocol.Errorf(protocol.Unavailable, "broken %d%s", n, strings.Repeat("e", size))
	case "panic":
		panic("secret of the panic")
	case "whose":
		p, err := edgelayer.Passport(ctx)
		raw, _ := codec.Marshal(fmt.Sprintf("%s's %d", p.Profile, n))
		return raw, true, err
	case "change":
		return nil, true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = "nobody" })
	case "big":
		size, err := strconv.Atoi(rest)
		raw, _ := codec.Marshal(strings.Repeat("b", size))
		return raw, true, err
	}
	raw, err := codec.Marshal(text{fmt.Sprintf("%s %d", in.Text, n)})
	return raw, true, err
}

// read is a call of files.read.
func read(id int, what, how string) string {
	if how != "" {
		how = "," + how
	}
	return fmt.Sprintf(`[1,%d,"files.read",{"text":%q}%s]`, id, what, how)
}

func TestWhatIsInMemoryIsAnsweredAtOnce(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		f, service := newFiles()
		e := offering(t, service)
		c := e.dialIn(codec, "").converse()
		id := 0
		ask := func(what, how, answer string) {
			t.Helper()
			id++
			c.say(read(id, what, how))
			c.want(fmt.Sprintf(answer, id))
		}
		ask("near", "", `[3,%d,{"text":"near 1"}]`)
		ask("near", "", `[3,%d,{"text":"near 1"},{"view":true}]`)
		ask("near", `{"keep":true}`, `[3,%d,{"text":"near 1"},{"view":true}]`)
		ask("near", `{"fresh":true}`, `[3,%d,"near fetched 1"]`)
		ask("near", "", `[3,%d,"near fetched 1",{"view":true}]`)
		id++
		c.say(fmt.Sprintf(`[1,%d,"files.file",{}]`, id))
		c.want(fmt.Sprintf(`[3,%d,true]`, id)) // that outdates it
		ask("near", "", `[3,%d,{"text":"near 2"}]`)
		ask("far", "", `[3,%d,"far fetched 2"]`)
		ask("far", "", `[3,%d,"far fetched 2",{"view":true}]`)
		if l, n := f.looked.Load(), f.fetched.Load(); l != 3 || n != 2 {
			t.Errorf("it was looked for %d times, and fetched %d times", l, n)
		}
		ask("broken", "", `[4,%d,"unavailable","broken 4",false]`)
		ask("broken", "", `[4,%d,"unavailable","broken 5",false]`) // what failed is not kept
		ask("panic", "", `[4,%d,"internal","files.read failed unexpectedly",false]`)
		id++
		c.say(fmt.Sprintf(`[1,%d,"files.read",{"no":1}]`, id))
		c.want(fmt.Sprintf(`[4,%d,"invalid_argument","arguments of files.read: no text; expected {\"text\":string}",false]`, id))
		if st := e.Stats(); st.Calls != int64(id) || st.Failures != 4 || st.ViewHits != 4 {
			t.Errorf("%d calls, %d failures, %d view hits", st.Calls, st.Failures, st.ViewHits)
		}
	})
}

// A whole page is answered in one payload where all of it is in memory, also what
// refers to other parts of it.
func TestWhatRefersToWhatIsThereIsAnsweredAtOnce(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		f, service := newFiles()
		f.gate = make(chan struct{})
		l := offering(t, service).dialIn(codec, "")
		c := l.converse(
			read(1, "near", `{"keep":true}`),
			`[1,2,"files.read",{"text":{"$ref":[1,"text"]}},{"refs":true}]`,
			read(3, "after", `{"after":[1]}`),
			`[1,4,"files.read",{"text":{"$ref":[1,"nothing"]}},{"refs":true}]`,
			read(5, "far", `{"keep":true}`),
			`[1,6,"files.read",{"text":{"$ref":[5]}},{"refs":true}]`,
		)
		c.want(`[3,1,{"text":"near 1"}]`, `[3,2,{"text":"near 1 2"}]`, `[3,3,{"text":"after 3"}]`, `[4,4,"unresolved",…`)
		close(f.gate)
		got := c.hearAll(2)
		slices.Sort(got)
		if want := []string{`[3,5,"far fetched 1"]`, `[3,6,"far fetched 1 fetched 2"]`}; !slices.Equal(got, want) {
			t.Errorf("heard %s, want %s", got, want)
		}
		c.say(read(1, "again", "")) // its result is kept
		c.want("ERROR invalid_argument call id 1 is in use")
	})
}

func TestWhoIsAnsweredAtOnce(t *testing.T) {
	keys := newKeys(t)
	_, service := newFiles()
	_, members := newMembers()
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{service, members}, Keys: keys})
	c := e.dial("").converseWith(carrying(sealed(t, keys, func(p *passport.Passport) { p.Profile = "ann" })))
	for i, tc := range []struct{ call, answer string }{
		{`"files.mine",{"text":"near"}`, `[3,%d,{"text":"near 1"}]`},
		{`"files.read",{"text":"whose"}`, `[3,%d,"ann's 2"]`},
		{`"files.read",{"text":"near"}`, `[3,%d,{"text":"near 3"}]`},
		{`"members.choose",{"profile":"bob"}`, ``},
		{`"files.mine",{"text":"near"}`, `[3,%d,{"text":"near 4"}]`},
		{`"files.read",{"text":"near"}`, `[3,%d,{"text":"near 3"},{"view":true}]`},
		{`"files.read",{"text":"whose"}`, `[3,%d,"bob's 5"]`},
		{`"files.read",{"text":"change"}`, `[4,%d,"internal","the passport can't be changed by what answers at once",false]`},
	} {
		c.say(fmt.Sprintf("[1,%d,%s]", i, tc.call))
		if tc.answer == "" {
			c.hear()
			continue
		}
		c.want(fmt.Sprintf(tc.answer, i))
	}
	for want, md := range map[string]protocol.Metadata{
		`[4,1,"unauthenticated",…`: {},
		`[4,1,"forbidden",…`:       carrying(sealed(t, keys, func(p *passport.Passport) { p.Level = passport.Anonymous })),
	} {
		e.dial("").converseWith(md, `[1,1,"files.mine",{"text":"near"}]`).want(want)
	}
}

// A question that is being fetched is not answered otherwise meanwhile.
func TestWhatIsBeingFetchedIsWaitedFor(t *testing.T) {
	f, service := newFiles()
	f.gate = make(chan struct{})
	e := offering(t, service)
	c := e.dial("").converse(read(1, "near", `{"fresh":true}`), read(2, "other", ""))
	c.want(`[3,2,{"text":"other 1"}]`)
	await.Until(t, "the first to be run", func() bool { return e.Stats().Calls == 2 })
	c.say(read(3, "near", ""), read(4, "another", ""))
	c.want(`[3,4,{"text":"another 2"}]`)
	close(f.gate)
	if got := strings.Join(c.hearAll(2), " "); got != `[3,1,"near fetched 1"] [3,3,"near fetched 1",{"view":true}]` && got != `[3,3,"near fetched 1",{"view":true}] [3,1,"near fetched 1"]` {
		t.Error(got)
	}
}

func TestWhatIsAnsweredAtOnceHasTheSameBounds(t *testing.T) {
	_, service := newFiles()
	g, gates := newGate(t)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{service, gates}, MaxMessage: 1000, MaxView: 5000, MaxCalls: 2, RSocket: rsocket.Config{MaxPayload: 900}})
		l := e.dialIn(codec, "")
		c := l.converse(read(1, "big 500", ""), read(2, "big 501", ""), read(3, "big 880", ""), read(4, "big 950", ""), read(5, "big 1001", ""))
		heard := strings.Join(c.hearAll(5), "\n")
		for _, want := range []string{`…[3,1,"b…`, `…[3,2,"b…`, `…[3,3,"b…`, `…[4,4,"too_large",…`, `…[4,5,"too_large","the result of files.read takes 100…`} {
			if !wildcard.Match(heard, want) {
				t.Errorf("heard %s\nwant %s", heard, want)
			}
		}
		c.say(read(9, "broken 920", "")) // shorter, so that it fits
		c.want(`[4,9,"unavailable","broken …eee…`)
		c.say(read(6, "near", `{"keep":true}`), read(7, "big 800", ""), read(8, "big 801", ""))
		if heard = strings.Join(c.hearAll(3), "\n"); !wildcard.Match(heard, `…"too_large","what this conversation has read…`) {
			t.Errorf("heard %s", heard)
		}
		c = l.converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"gate.wait",{"n":2}]`, read(3, "near", ""))
		c.want(`[4,3,"overloaded","2 calls of this conversation are running already",true]`)
		g.wantEntered(t, 2)
		c.say(read(2, "near", ""))
		c.want("ERROR invalid_argument call id 2 is in use")
	})
}

// An adapter that takes no answers keeps its edge from nothing, and gets all of them
// in the end.
func TestAnAdapterThatTakesNoAnswersIsHeard(t *testing.T) {
	const calls = 40
	_, service := newFiles()
	g, gates := newGate(t)
	e := offering(t, service, gates)
	c := e.dialBy(rsocket.Config{Window: 1}).converse(`[1,1000,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	for i := range calls {
		c.say(read(i, fmt.Sprint("near ", i), ""))
	}
	c.say(`[2,1000]`)
	g.wantEnded(t, 1, canceled)
	await.Until(t, "all calls to be answered or run", func() bool { return e.Stats().Calls == calls+1 })
	heard := strings.Join(c.hearAll(calls), "\n")
	for i := range calls {
		if want := fmt.Sprintf(`…[3,%d,…near %d …`, i, i); !wildcard.Match(heard, want) {
			t.Errorf("heard %s\nwant %s", heard, want)
		}
	}
}

// No more answers wait for it than those of calls that are run, and a payload of others.
func TestAnAdapterThatTakesNoAnswersIsNotAnsweredForEver(t *testing.T) {
	const most = 4
	for name, what := range map[string]string{
		"answers that leave together": "near",
		"one in a payload":            "big 70000",
	} {
		t.Run(name, func(t *testing.T) {
			_, service := newFiles()
			e := start(t, edgelayer.Config{Services: []edgelayer.Service{service}, MaxCalls: most})
			c := e.dialBy(rsocket.Config{Window: 1}).converse()
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				for id := range 1000 {
					if err := c.ch.Send(t.Context(), rsocket.Payload{Data: c.l.encode(read(id, what, ""))}); err != nil {
						return
					}
				}
			}()
			await.Until(t, "the edge to stand still", func() bool {
				before := e.Stats().Calls
				time.Sleep(20 * time.Millisecond)
				return before > 0 && e.Stats().Calls == before
			})
			if n := e.Stats().Calls; n > 2+3*most {
				t.Errorf("%d calls were answered or run for an adapter that has taken no answer", n)
			}
			c.ch.Cancel()
			<-asked
		})
	}
}

// What is answered at once takes no place from what is run.
func TestAPlaceIsForWhatRuns(t *testing.T) {
	_, service := newFiles()
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{service, gates}, MaxAtOnce: 1})
	l := e.dial("")
	for range 3 {
		l.converse(read(1, "near", "")).want(`[3,1,…`)
		l.converse(read(1, "near", `{"keep":true}`)).want(`[3,1,…`)
	}
	a := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	l.converse(read(1, "near", "")).want("ERROR overloaded …") // before it is known what is asked
	a.say(read(2, "near", ""))
	a.want(`[3,2,…`)
	g.letGo(1)
	a.want(`[3,1,{"n":1}]`)
	l.converse(read(1, "near", "")).want(`[3,1,…`)
}

func TestOnlyWhatReadsIsAnsweredAtOnce(t *testing.T) {
	f, _ := newFiles()
	for _, m := range []edgelayer.Method{
		edgelayer.NewMethod("write", f.fetch, edgelayer.AtOnce(f.look)),
		edgelayer.NewStream("parts", func(context.Context, text, func(string) error) error { return nil }, edgelayer.Reads(), edgelayer.AtOnce(f.look)),
	} {
		_, err := edgelayer.New(edgelayer.Config{Services: []edgelayer.Service{{Name: "files", Version: "1.0.0", Methods: []edgelayer.Method{m}}}})
		if err == nil || !strings.Contains(err.Error(), "answers at once: expected that it reads") {
			t.Errorf("%v", err)
		}
	}
}
