package contender

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strings"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/tier"
)

// Contender is one way for an adapter to ask an edge.
type Contender struct {
	Name     string // as flags and tables have it
	Settings string // what was chosen and is not the default, for the reader of a table
	Module   string // path of the module whose version matters; empty: Go's own library

	// Resilience says what Dial does about servers that fail where [Load.Resilient]
	// asks for it, for the reader of a table. Empty: nothing.
	Resilience string

	// Versions are those of what it consists of besides Go modules. Nil: nothing.
	Versions func() map[string]string

	// Present says why the contender can't run on this machine, which is no failure
	// of it: see [Present]. It may take minutes, once. Nil: it can always.
	Present func(ctx context.Context) error

	// WarmUp is how long it takes pages, before anything is measured, to become as
	// fast as it is in the middle of a day, if it is compiled while it runs. 0: no time.
	WarmUp time.Duration

	// Marshal encodes values in the form in which it sends them.
	Marshal func(v any) ([]byte, error)

	// Serve answers the questions of t, to any number of connections. When ctx ends it
	// takes no more, lets what is under way finish for as long as [Grace], if that can
	// be had, and returns nil; an error says why it can't.
	Serve func(ctx context.Context, l net.Listener, t *tier.Tier) error

	// Holds says that its clients are a [Holder].
	Holds bool

	// Dial connects to servers of the same contender, at least one, which offer the
	// same. ctx binds what it opens too, and does not end before the measurement has.
	Dial func(ctx context.Context, addresses []string, load Load) (Client, error)
}

// AddTo names the contender in the head of a report, with the versions that matter.
func (c Contender) AddTo(h *harness.Head) {
	h.Add(harness.Settings{Name: c.Name, Settings: c.Settings}, c.Module)
	if c.Versions != nil {
		maps.Copy(h.Versions, c.Versions())
	}
}

// Load is what a measurement puts on a contender, so that it can size its pools.
type Load struct {
	Concurrency int // jobs under way at any time; in an open loop the most that may be

	// Resilient says that servers fail, are overloaded, and come back, at addresses
	// of which some may be nobody's: so a client does what is usual with this
	// contender, see [Contender.Resilience].
	Resilient bool
}

// Client does the jobs. It is safe for concurrent use.
type Client interface {
	// Page is the job that counts: profile → recommendations → films and ratings.
	// It is made for whom the sealed passport is.
	Page(ctx context.Context, passport []byte) (Page, error)
	// Chain asks depth questions, each with the answer to the one before it, from 0.
	Chain(ctx context.Context, passport []byte, depth int) (int, error)
	// Fan asks width questions at once, the numbers from 0, and adds the answers up.
	Fan(ctx context.Context, passport []byte, width int) (int, error)
}

// Holder is a client that can keep conversations open beside its jobs.
type Holder interface {
	// Hold begins a conversation for whom the sealed passport is, which is open from
	// its first question on and ends with ctx.
	Hold(ctx context.Context, passport []byte) (Held, error)
}

// Held is a conversation that stays open. It is for one goroutine at a time.
type Held interface {
	// Next asks what comes after n.
	Next(ctx context.Context, n int) (int, error)
}

// MaxHeld is how many conversations of one client a server holds.
const MaxHeld = 200_000

// Elsewhere is what a client is, too, if the adapter isn't in the process that
// drives it, but in one of its own: its usage is the adapter's, and this process's
// is nobody's.
type Elsewhere interface {
	// Usage is what the adapter's process has used and holds; without allocations,
	// and 0 where the system doesn't tell. It is safe for concurrent use.
	Usage() harness.Usage
}

// All returns every contender, in the order of the tables.
func All() []Contender {
	const (
		warmline, grpc = "warmline.dev", "google.golang.org/grpc"
		held           = "room for 201,000 of them on a line, for an hour each"
	)
	return []Contender{
		{
			Name: "http1", Marshal: marshalJSON, Serve: serveHTTP1, Dial: dialHTTP1,
			Settings:   "JSON over net/http, GET, keep-alive, an idle connection for each request that can be under way, Content-Length set",
			Resilience: resilientHTTP,
		},
		{
			Name: "http2", Marshal: marshalJSON, Serve: serveHTTP2, Dial: dialHTTP2,
			Settings: "the same over HTTP/2 without TLS (h2c), one connection, 1,000 streams",
		},
		{
			Name: "grpc-unary", Module: grpc, Marshal: marshalProtobuf, Serve: serveGRPC, Dial: dialGRPCUnary,
			Settings:   "protocol buffers, one connection, static windows, a stream worker for each core; the server sends what it keeps without encoding it again",
			Resilience: resilientGRPC,
		},
		{
			Name: "grpc-bidi", Module: grpc, Marshal: marshalProtobuf, Serve: serveGRPC, Dial: dialGRPCBidi, Holds: true,
			Settings: "the same, a bidirectional stream for each job: the passport once, questions by number, answered from memory without a goroutine each",
		},
		{
			Name: "rsocket-go", Module: "github.com/rsocket/rsocket-go", Marshal: marshalMsgPack, Serve: serveRSocketGo, Dial: dialRSocketGo,
			Settings: "request-response, msgpack, composite metadata with the passport as a bearer's token, one connection, a goroutine for each request, a mono of its own for answers",
		},
		{
			Name: "node", Versions: nodeVersions, Present: presentNode, WarmUp: 2 * time.Second, Marshal: marshalJSON, Serve: serveHTTP1, Dial: dialNode,
			Settings: "the adapter in Fastify and undici on Node.js, one process, so one core for its JavaScript; asks the edge of http1; " +
				"its figures contain one more HTTP request, the device's own; CPU and memory are its process's, what drives it is not counted; " +
				"2 s of warm-up before all others', as it is compiled while it runs",
		},
		{
			Name: "warmline", Module: warmline, Marshal: marshalMsgPack, Serve: serveWarmline, Dial: dialWarmline, Holds: true,
			Settings:   "a conversation for each job, follow-ups one after another; " + held,
			Resilience: resilientWarmline,
		},
		{
			Name: "warmline-pipelined", Module: warmline, Marshal: marshalMsgPack, Serve: serveWarmline, Dial: dialPipelined, Holds: true,
			Settings:   "a conversation for each job, all calls sent at once with references; " + held,
			Resilience: resilientWarmline,
		},
	}
}

// Names are the names of all.
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the contender of that name, or an error that tells which there are.
func Find(name string) (Contender, error) {
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	return Contender{}, fmt.Errorf("no contender %q: there are %s", name, strings.Join(Names(), ", "))
}
